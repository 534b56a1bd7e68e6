"""A web process of a contender: `python -m dutiful.drills.requests APP`, a line of JSON each way.

`{"outage": [first, count, seconds]}`: so many requests, spread over the seconds, eight at a time,
each an enqueue of its number. Answers with a list, [number, start, seconds, error] of each that
has ended when asked for with `{"report": patience}`.

`{"transactions": {"commit": [numbers], "rollback": [numbers], "kill": [numbers]}}`: each inserts
its number into the table of orders and enqueues it, in one transaction. `kill` is kill -9 when the
transaction has been committed and nothing after it has run.
"""

import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from celery import Celery

from dutiful.drills.publish import load

THREADS: Final = 8
TABLE: Final = "drill_orders"
TASK: Final = "dutiful.drills.tasks.urgent"


class Requests:
    """One web process."""

    def __init__(self, app: Celery) -> None:
        self.task = app.tasks[TASK]
        self.ended: list[tuple[int, float, float, str]] = []
        self.waiting = threading.Semaphore(0)

    def outage(self, first: int, count: int, seconds: float) -> None:
        """Returns when all have been begun, or could not be: all threads hang."""
        pool = ThreadPoolExecutor(THREADS)
        began = time.time()
        for number in range(first, first + count):
            time.sleep(max(0, began + (number - first) * seconds / count - time.time()))
            pool.submit(self.request, number)
        pool.shutdown(wait=False)

    def request(self, number: int) -> None:
        began, error = time.time(), ""
        try:
            self.task.delay(number, began)
        except Exception as failed:  # noqa: BLE001  # what a user's browser is told
            error = f"{type(failed).__name__}: {failed}"
        self.ended.append((number, began, time.time() - began, error))

    def report(self, wanted: int, patience: float) -> list[Any]:
        """Of those that have ended within `patience` seconds."""
        deadline = time.time() + patience
        while len(self.ended) < wanted and time.time() < deadline:
            time.sleep(0.05)
        ended, self.ended = self.ended, []
        return ended

    def transactions(self, wanted: dict[str, list[int]]) -> None:
        """Each end in a process of its own, so that none inherits a connection."""
        self._forked(self._make_table)
        for ending, numbers in wanted.items():
            for one in [[number] for number in numbers] if ending == "kill" else [numbers]:
                self._forked(self._enqueue, ending, one)

    def _make_table(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (number integer)")

    def _enqueue(self, ending: str, numbers: list[int]) -> None:
        from django.db import connection, transaction

        task: Any = self.task
        enqueue = getattr(task, os.environ.get("DRILL_ENQUEUE") or "delay")
        for number in numbers:
            with transaction.atomic():
                if ending == "kill":
                    transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
                with connection.cursor() as cursor:
                    cursor.execute(f"INSERT INTO {TABLE} VALUES ({int(number)})")  # noqa: S608
                enqueue(number, time.time())
                transaction.set_rollback(ending == "rollback")

    def _forked(self, call: Any, *args: Any) -> None:
        child = os.fork()
        if child == 0:
            try:
                call(*args)
            except BaseException:  # noqa: BLE001  # nothing of the parent may run in the child
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stderr.flush()
                os._exit(0)
        os.waitpid(child, 0)


def main() -> None:
    web = Requests(load(sys.argv[1], sys.argv[2:]))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        ((what, words),) = json.loads(line).items()
        answer = getattr(web, what)(*words if isinstance(words, list) else [words])
        print(json.dumps(answer), flush=True)
    os._exit(0)  # threads may hang for good


if __name__ == "__main__":
    main()
