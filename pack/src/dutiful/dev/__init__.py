"""Commands for development: none of them is needed where the deployment runs in production.

`up` is `make up`, with the embedded broker (`embedded`, a `child` process); `backup` copies broker
and database; `template` makes a project of one's own. `manage.py newtask` writes a task into an app
that `installed_apps` adds to the settings. `checks` compares worker profiles with the Procfile and
the compose file.
"""
