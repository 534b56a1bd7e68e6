"""Enqueues that arrive: calls in a transaction, or while the broker does not answer, become rows.

The way of one `task.delay(pk)` in a transaction, from the prepared message (`dutiful.publishing`):

1. `publisher.Outbox.send` inserts it as a row of the caller's transaction (`rows.keep`). For ten
   seconds, a lease, the row is the caller's; a rollback takes it along.
2. After the commit `publisher.Pending.send` hands all messages of the transaction to
   `publisher.Sender`, which publishes them within a deadline, and deletes the rows.
3. What fails is released to a relay.

Outside a transaction `Outbox.send` publishes at once, and inserts a row only if the broker fails.
One failure opens the `breaker`: then calls insert rows without asking the broker, until it answers
a ping.

`relay` sends the rows that stayed behind; `daemon` runs one in each worker's main process and in
beat. `state`, `admin` and `manage.py outbox` are for people. See docs/outbox.md.
"""
