"""`make backup` and `make restore`: `command` copies the database, `broker` the broker's data."""
