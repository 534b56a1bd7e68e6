"""For a project's own tests: real brokers, real workers, and tasks that run twice or die halfway.

`-p dutiful.testing.fixtures` in pytest's options gives each session a broker and a database and the
fixtures `io_worker`, `compute_worker`, `start_worker` and `start`. `cases` has `assert_idempotent`
and `assert_thread_safe`, `processes` starts and waits, `receivers` stand in for a webhook and a
mail server.
"""
