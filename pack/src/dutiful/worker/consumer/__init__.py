"""The consumer: between the transport, which delivers messages, and the pool, which runs tasks.

Stock Celery logs and discards a message that it cannot decode or whose task it does not know, and
when the connection breaks it forgets what it holds. `lossless.LosslessConsumer`, the value of the
setting `worker_consumer`, discards nothing:

- `faults` checks a message, and then its decoded request; `refusal` files one that cannot be run as
  a dead letter, with the reason.
- `deferral` puts a message back, with a growing pause, whose task this release does not know yet;
  `replica_hold` does so with tasks that wait for the database's replicas.
- A suspect goes to the quarantine (`dutiful.worker.quarantine`) and not to the pool.
- `reconnection.ReconnectingConsumer` keeps what the worker holds over a lost connection.
- `batched_events.BatchedEvents` sends events to Flower in batches.
- What the broker can do with a message that cannot run is its `Deliveries` (`dutiful.transport`).

On stock kombu's Redis transport all is as in stock Celery.
"""
