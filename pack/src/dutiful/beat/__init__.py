"""Scheduled tasks: a literal schedule, ticked by one beat of several, each tick once.

`scheduler` is Celery's scheduler. `installed` gives it the entries: the project's, and the pack's
own from `housekeeping`. `lease` elects the beat that leads, on the Redis in `shared`. The leader
computes the due `times`, records each tick as a row (`ticks`, `models`), and publishes it as a
`message`. Without the database, `shared` takes the place of the rows.

`mirror` copies the schedule to the rows that the `admin` shows, where an entry can be paused.
`checks` refuses a schedule that cannot work. `tasks` has the heartbeat, which proves that beat,
broker and workers work together, and the purge of old ticks.
"""
