"""For a project's own tests: real brokers, real workers, and tasks that run twice or die halfway.

`-p dutiful.testing.fixtures` in pytest's options gives each session a broker and a database, and
the fixtures `io_worker`, `compute_worker`, `start_worker` and `start`. `cases` has
`assert_idempotent`, `assert_survives_kills` and `assert_thread_safe`, which kill runs of a task by
`child`. `processes` starts a process and waits for it; `postgres` is a PostgreSQL server,
`receivers` a webhook and a mail server. `publishing` sends to another broker, `up` runs the
development set-up. `docker` and `browser` are fixtures for containers and for pages in a Chromium.
"""
