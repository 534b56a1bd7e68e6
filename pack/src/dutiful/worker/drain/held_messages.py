"""The messages of a worker that stops: which have begun, and how each goes back to its queue.

On our transport a message is put back uncounted, in a batch that its owner sends. On RabbitMQ a
copy is published; on stock kombu the message is rejected with requeue. There, the message of a task
that still runs at the end of the grace returns when the connection ends.
"""

import threading
import time
from typing import Any

from celery.worker import state

from dutiful.transport.message import Message
from dutiful.transport.redis.owner import owners
from dutiful.worker.drain.event_loop import EventLoop


class HeldMessages:
    """The messages that one worker holds."""

    def __init__(self, worker: Any, loop: EventLoop) -> None:
        self._worker, self._loop = worker, loop
        self._lock = threading.Lock()
        self._stopped = False
        self._cancelled: Any = None
        """The consumer of stock kombu that was cancelled."""

    def starts(self, request: Any) -> bool:
        """In Celery's loop: True, once, before the request goes to the pool; False: put back."""
        with self._lock:
            if not self._stopped:
                request.in_pool = True
                return True
        self._put_back(request)
        return False

    def stop_claiming(self) -> None:
        """After this, no message is delivered and no task begins."""
        with self._lock:
            self._stopped = True
        for owner in owners():
            owner.stop_claiming()
        if cancel := getattr(self._worker.pool, "cancel_unstarted", None):
            for task_id in cancel():
                if request := state.requests.get(task_id):
                    request.in_pool = False

    def put_back_unstarted(self) -> int:
        """Puts back prefetched, rate-limited and delayed messages; returns how many."""
        self._cancel_stock_consumer()
        waiting = [request for request in _requests() if not _begun(request)]
        # Celery lists rate-limited requests only in their buckets.
        buckets = getattr(getattr(self._worker, "consumer", None), "task_buckets", {})
        for bucket in list(buckets.values()):
            waiting += [request for request, _ in (bucket.contents.copy() if bucket else ())]
        return sum(self._put_back(request) for request in waiting)

    def running(self) -> int:
        """Returns how many tasks have begun and are not settled."""
        return max(sum(len(owner.held()) for owner in owners()), len(_requests()))

    def flush(self, seconds: float) -> None:
        """Sends the acknowledgements of tasks that have ended."""
        self._loop.turn(seconds / 2)  # Celery plans them in its loop
        deadline = time.monotonic() + seconds / 2
        for owner in owners():
            owner.flush(max(0.05, deadline - time.monotonic()))

    def close(self, seconds: float) -> bool:
        """Puts back all that is still held. False: the broker has not confirmed all of it."""
        ours = owners()
        if not ours:
            return self._restore_stock(seconds)
        deadline = time.monotonic() + seconds
        answers = [owner.close(max(0.05, deadline - time.monotonic())) for owner in ours]
        return all(answers)

    def _put_back(self, request: Any) -> bool:
        """False: it was put back before."""
        with self._lock:  # the event loop may put back the same request
            if request.acknowledged:
                return False
            if isinstance(request.message, Message):
                request.message.put_back()
                request.acknowledged = True  # so that Celery does not settle it again
            elif hasattr(request.message, "copy_back"):
                request.give_back()
            else:
                request.reject(requeue=True)
        state.task_ready(request)
        return True

    def _cancel_stock_consumer(self) -> None:
        """Cancels stock kombu's consumer, or it would take what was put back.

        Done again after each reconnect, which makes a new consumer.
        """
        consumer = getattr(getattr(self._worker, "consumer", None), "task_consumer", None)
        if owners() or consumer is None or consumer is self._cancelled:
            return
        self._cancelled = consumer
        self._worker.consumer.call_soon(consumer.cancel)

    def _restore_stock(self, seconds: float) -> bool:
        """Calls stock kombu's restore in a thread, as it waits as long as its socket does."""
        consumer = getattr(getattr(self._worker, "consumer", None), "task_consumer", None)
        channel = getattr(consumer, "channel", None)
        qos: Any = getattr(channel, "qos", None)
        if not hasattr(qos, "restore_unacked"):
            return True  # RabbitMQ itself requeues when the connection ends
        restored = threading.Event()

        def restore() -> None:
            # A pop that was under way when the consumer was cancelled lasts for a second, and
            # would take what is put back.
            while getattr(channel, "_in_poll", None):
                time.sleep(0.02)
            if not qos.restore_unacked():
                restored.set()

        threading.Thread(target=restore, name="restore", daemon=True).start()
        return restored.wait(seconds)


def _requests() -> list[Any]:
    return list(state.requests.values())  # atomic; the event loop changes it meanwhile


def _begun(request: Any) -> bool:
    # A suspect runs in a child of its own, not in the pool.
    return getattr(request, "in_pool", False) or getattr(request.message, "suspect", False)
