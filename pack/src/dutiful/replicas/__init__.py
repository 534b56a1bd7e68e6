"""Tasks read from a replica that has replayed all that was committed when they were enqueued.

This follows GitLab's `data_consistency`. `position` stamps a message with the primary's position in
its write-ahead log. In a worker, `reading` wraps the task's body: `declared` says where the task
reads, and `choice` picks a replica that has replayed that position, waits a moment for one, or
falls back to the primary. `router` sends the queries there, and `guard` turns a refused write into
an error that names the task. `watch` measures each replica every second and keeps the results in
`status`.

For users: docs/database.md.
"""
