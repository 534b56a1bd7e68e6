"""The fleet's database connections: what its processes may open, and what the server allows.

`sums` is the arithmetic, `server` measures a PostgreSQL, `plan` adds up this deployment's Procfile,
`load` projects what tasks ask of the database, `report` prints it, `check` is the system check of a
deploy. `manage.py connections`, the alerts and every advice to scale use them.
"""
