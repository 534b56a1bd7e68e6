"""The messages of a worker that stops: which have not begun, which run, and how they go back.

With our transport a put-back is uncounted and sent by its owner. On RabbitMQ it is a copy, on stock
kombu a reject with requeue; what runs to the end of the grace returns as the connection ends.
"""

import threading
import time
from typing import Any

from celery.worker import state

from dutiful.transport.message import Message
from dutiful.transport.redis.owner import owners
from dutiful.worker.drain.event_loop import Loop


class Messages:
    """What one worker holds."""

    def __init__(self, worker: Any, loop: Loop) -> None:
        self._worker, self._loop = worker, loop
        self._lock = threading.Lock()
        self._stopped = False
        self._cancelled: Any = None  # stock's consumer that takes nothing any more

    def starts(self, request: Any) -> bool:
        """In Celery's loop: True once, before the request goes to the pool; False: it went back."""
        with self._lock:
            if not self._stopped:
                request.in_pool = True
                return True
        self._put_back(request)
        return False

    def stop_claiming(self) -> None:
        """No message is handed out and no task is begun after this."""
        with self._lock:
            self._stopped = True
        for owner in owners():
            owner.stop_claiming()
        if cancel := getattr(self._worker.pool, "cancel_unstarted", None):
            for task_id in cancel():
                if request := state.requests.get(task_id):
                    request.in_pool = False

    def put_back_unstarted(self) -> int:
        """Prefetched, rate limited, waiting for their time: back to their queues. How many."""
        self._cancel_stock_consumer()
        waiting = [request for request in _requests() if not _begun(request)]
        # Rate-limited ones are in no list of Celery's but their bucket's.
        buckets = getattr(getattr(self._worker, "consumer", None), "task_buckets", {})
        for bucket in list(buckets.values()):
            waiting += [request for request, _ in (bucket.contents.copy() if bucket else ())]
        return sum(self._put_back(request) for request in waiting)

    def running(self) -> int:
        """How many tasks have begun and are not settled."""
        return max(sum(len(owner.held()) for owner in owners()), len(_requests()))

    def flush(self, seconds: float) -> None:
        """Sends the acknowledgements of what has ended."""
        self._loop.turn(seconds / 2)  # Celery hands them to its loop
        deadline = time.monotonic() + seconds / 2
        for owner in owners():
            owner.flush(max(0.05, deadline - time.monotonic()))

    def close(self, seconds: float) -> bool:
        """Puts back what is still held. False: the broker did not hear all of it."""
        ours = owners()
        if not ours:
            return self._restore_stock(seconds)
        deadline = time.monotonic() + seconds
        answers = [owner.close(max(0.05, deadline - time.monotonic())) for owner in ours]
        return all(answers)

    def _put_back(self, request: Any) -> bool:
        """False: it went back before."""
        with self._lock:  # the loop may come to the same request
            if request.acknowledged:
                return False
            if isinstance(request.message, Message):
                request.message.put_back()
                request.acknowledged = True  # Celery has nothing more to say about it
            elif hasattr(request.message, "copy_back"):
                request.give_back()
            else:
                request.reject(requeue=True)
        state.task_ready(request)
        return True

    def _cancel_stock_consumer(self) -> None:
        """Without this, what went back would come again at once. Anew after each reconnect."""
        consumer = getattr(getattr(self._worker, "consumer", None), "task_consumer", None)
        if owners() or consumer is None or consumer is self._cancelled:
            return
        self._cancelled = consumer
        self._worker.consumer.call_soon(consumer.cancel)

    def _restore_stock(self, seconds: float) -> bool:
        """Stock's own, which waits for the broker as long as its socket does: in a thread."""
        consumer = getattr(getattr(self._worker, "consumer", None), "task_consumer", None)
        channel = getattr(consumer, "channel", None)
        qos: Any = getattr(channel, "qos", None)
        if not hasattr(qos, "restore_unacked"):
            return True  # RabbitMQ itself requeues when the connection ends
        restored = threading.Event()

        def restore() -> None:
            # The pop that was under way when the consumer was cancelled lasts for a second, and
            # would take what is put back.
            while getattr(channel, "_in_poll", None):
                time.sleep(0.02)
            if not qos.restore_unacked():
                restored.set()

        threading.Thread(target=restore, name="restore", daemon=True).start()
        return restored.wait(seconds)


def _requests() -> list[Any]:
    return list(state.requests.values())  # one step of the interpreter: the loop changes it


def _begun(request: Any) -> bool:
    # A suspect is tried in a child of its own, not in the pool.
    return getattr(request, "in_pool", False) or getattr(request.message, "suspect", False)
