"""A PostgreSQL backend for Django, with a pool: ENGINE "dutiful.database.postgres"."""
