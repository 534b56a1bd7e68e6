"""A simulated web process: `python -m dutiful.drills.clients.requests APP`.

Each line of stdin is a JSON object, one command, and each line of stdout its result.

- `{"outage": [first, count, seconds]}` starts that many requests, spread over the seconds, eight at
  a time; each enqueues the task of its number.
- `{"report": [wanted, patience]}` returns [number, start, seconds, error] of each request that has
  ended.
- `{"transactions": {"commit": [numbers], "rollback": [numbers], "kill": [numbers]}}` inserts each
  number into the table of orders and enqueues it, in one transaction. `kill` sends SIGKILL right
  after the commit.
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

from dutiful.drills.clients.publish import load

THREADS: Final = 8
TABLE: Final = "drill_orders"
TASK: Final = "dutiful.drills.tasks.urgent"


class Requests:
    """The commands of the web process."""

    def __init__(self, app: Celery) -> None:
        self.task = app.tasks[TASK]
        self.ended: list[tuple[int, float, float, str]] = []
        self.waiting = threading.Semaphore(0)

    def outage(self, first: int, count: int, seconds: float) -> None:
        """Starts the requests; returns when all have started or wait for a free thread."""
        pool = ThreadPoolExecutor(THREADS)
        began = time.time()
        for number in range(first, first + count):
            time.sleep(max(0, began + (number - first) * seconds / count - time.time()))
            pool.submit(self.request, number)
        pool.shutdown(wait=False)

    def request(self, number: int) -> None:
        """Enqueues one task; stores when it began (epoch), the seconds it took and its error."""
        began, error = time.time(), ""
        try:
            self.task.delay(number, began)
        except Exception as failed:  # noqa: BLE001  # the error that a browser would get
            error = f"{type(failed).__name__}: {failed}"
        self.ended.append((number, began, time.time() - began, error))

    def report(self, wanted: int, patience: float) -> list[Any]:
        """Waits until `wanted` requests have ended, at most `patience` seconds; returns them."""
        deadline = time.time() + patience
        while len(self.ended) < wanted and time.time() < deadline:
            time.sleep(0.05)
        ended, self.ended = self.ended, []
        return ended

    def transactions(self, wanted: dict[str, list[int]]) -> None:
        """Runs each kind of transaction in a child process, so that none inherits a connection."""
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
    """Runs the commands of stdin."""
    web = Requests(load(sys.argv[1], sys.argv[2:]))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        ((name, arguments),) = json.loads(line).items()
        answer = getattr(web, name)(*arguments if isinstance(arguments, list) else [arguments])
        print(json.dumps(answer), flush=True)
    os._exit(0)  # threads may hang for good


if __name__ == "__main__":
    main()
