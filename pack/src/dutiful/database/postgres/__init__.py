"""A PostgreSQL backend for Django (ENGINE "dutiful.database.postgres"), with a pool of
connections."""
