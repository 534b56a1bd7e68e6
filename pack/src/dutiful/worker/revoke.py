"""Revoking a task that waits in Redis for its eta deletes its message.

Celery's workers remember revoked ids in memory, for some hours; a message that is parked for longer
would run. So `app.control.revoke(id)` also deletes the messages that are parked under that id,
stores REVOKED as the task's result, and sends the event that Celery sends.
"""

import logging
from typing import Any

from celery import signals
from kombu.utils.functional import maybe_list
from kombu.utils.json import loads

from dutiful.transport import brokers

logger = logging.getLogger(__name__)


def connect() -> None:
    """Replaces Celery's control command `revoke` in worker processes."""
    signals.celeryd_init.connect(_register, dispatch_uid="dutiful.worker.revoke")


def _register(**_: Any) -> None:
    from celery.worker import control as module  # imported late: only workers need it

    control: Any = module
    stock = control.revoke

    def revoke(state: Any, task_id: Any, *args: Any, **kwargs: Any) -> Any:
        reply = stock(state, task_id, *args, **kwargs)
        delete_parked(state, sorted(set(maybe_list(task_id) or ())))
        return reply

    revoke.__doc__ = stock.__doc__
    signature = control.Panel.meta["revoke"].signature
    control.Panel.register(revoke, type="control", variadic="task_id", signature=signature)


def delete_parked(state: Any, task_ids: list[str]) -> list[str]:
    """Deletes the parked messages of these tasks; returns the task ids that had one.

    Raises redis errors, which Celery replies to the caller as to those of any control command.
    """
    channel = state.consumer.task_consumer.channel
    broker = brokers.of(state.consumer.connection)
    stored = broker.revoke_delayed(channel, task_ids)
    found = [loads(each.decode())["headers"] for each in stored]
    for headers in found:
        logger.info("task %s (%s) was revoked before its time", headers["id"], headers.get("task"))
        dispatcher = state.consumer.event_dispatcher
        if dispatcher and dispatcher.enabled:
            dispatcher.send(
                "task-revoked", uuid=headers["id"], terminated=False, signum=None, expired=False
            )
        if not headers.get("ignore_result"):
            state.app.backend.mark_as_revoked(headers["id"], "revoked", store_result=True)
    return [headers["id"] for headers in found]
