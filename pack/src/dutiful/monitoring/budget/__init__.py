"""The fleet's database connections: what its processes may open, and what the server gives.

`sums` is the arithmetic, `server` what PostgreSQL says, `plan` this deployment's own, `load` what
tasks ask of it. `manage.py connections`, a check, the alerts and each advice to scale go by them.
"""
