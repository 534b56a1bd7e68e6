"""Drill `connections`: 400 threads use a database that accepts 40 clients.

`drill` is the scenario. `visit` is the body of the task. `stock`, `tuned` and `settings` are stock
Celery with stock Django, without and with the best of Celery's settings.
"""
