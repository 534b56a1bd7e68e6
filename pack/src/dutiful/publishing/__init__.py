"""How a call becomes a message on the broker.

The way of one `task.delay(pk)`:

1. `Task.apply_async` (Celery's) ends in `App.send_task`, in `publish`.
2. `message.check` refuses arguments that are not JSON or too large; `outbox_for` decides whether
   the call goes through the outbox.
3. A call with plain options is prepared by `publish.Preparation`: Celery's headers,
   `before_task_publish`, the body in JSON. Its queue comes from `task_routes` (`router.route` is
   the pack's), once for each task. `Prepared.written` writes the text that will lie on the broker.
4. The message goes to the outbox (`hooks.outbox`, see `dutiful.outbox`) or, without one, to
   `direct.Direct`, which publishes it on Celery's connections with Celery's retries.
5. `after_task_publish` is sent if the broker has the message, and the caller gets its result.

There are two pipelines, and one prepared form (`message.Prepared`) that both end in:

- ours, for plain calls (step 3) and for batches: `batch.enqueue_many` has `template.Template`, a
  `Preparation`, write the shared text once and fill in what differs;
- Celery's own, for every other call: eta, links, chains, groups, routes with other options, tracing
  tools. `recorder.record` runs it up to the publish and takes the message there. A call that does
  not go through the outbox (one that brings a producer, for example) is published by Celery itself.

`hooks` is where the outbox and the replicas register; `app` puts it all into a Celery app.
"""
