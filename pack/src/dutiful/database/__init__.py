"""The database as Django's settings see it: connections, pools, replicas.

`connections` makes an entry of DATABASES, tuned for SQLite or PostgreSQL; `postgres` is Django's
backend with a pool that threads share. `replicas` reads the variables of replicas and makes their
entries, and `reading` holds the replica that the current task reads from (dutiful.replicas decides
it). `read_only` is a base class for admin pages. For users: docs/database.md.
"""
