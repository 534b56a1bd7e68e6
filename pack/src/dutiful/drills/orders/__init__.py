"""Orders in PostgreSQL with a replica, shared by the drills `lag` and `failover`.

`model` is the table and the bodies of the tasks, `ours` and `stock` declare the tasks, `client`
saves an order and enqueues its task in one transaction, `settings` is stock Django with the router
of its manual, and `fixture` starts servers, workers and client.
"""
