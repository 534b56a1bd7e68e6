"""Commands that act on waiting work: `manage.py reroute` moves a backlog to another queue.

`reroute` refuses moves that make no sense and moves the rows of the outbox; the command in
`management` moves the messages in Redis with dutiful.transport.redis.reroute.
"""
