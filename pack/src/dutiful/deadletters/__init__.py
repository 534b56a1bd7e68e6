"""Messages that ended for good: collected, grouped by failure, replayed or discarded.

A worker settles such a message as a dead letter in the broker. `collect` moves each dead letter to
one row of `models.DeadLetter`: `reading` parses the raw message, `fingerprint` says which failures
are the same, and `rows` builds and saves the row. `hooks` saves those that no broker takes, and
closes a row whose replay has succeeded.

`replay` sends a dead letter again or discards it; `campaign` replays a group, first a few canaries,
then the rest at a rate. `tasks` collects, replays and purges on the schedule. `admin`, `formatting`
and the command `deadletters` show all of it, and `counts` gives the numbers to monitoring.

For users: docs/dead-letters.md.
"""
