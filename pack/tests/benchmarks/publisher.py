"""A system's publishing process: `python -m tests.benchmarks.publisher MODULE POOL COMMAND …`.

Each system has a process of its own, so that none inherits another's imports. `send COUNT`
publishes a backlog. The other commands measure a block for each line on stdin and print a JSON
list. So stock and ours take turns within a tenth of a second and have the same load beside them.
"""

import importlib
import json
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Final

from tests.benchmarks import record

WARM: Final = 3
"""Blocks before the first that counts, for connections, caches and imports."""
PAUSE: Final = (0.002, 0.010)
"""Seconds between two samples of the latency, chosen at random, so that the worker is idle."""


def rate(send: Callable[[int, str], None], pool: str, count: int) -> list[float]:
    """Returns the messages a second of one thread that publishes `count` without a pause."""
    began = time.monotonic()
    send(count, pool)
    return [count / (time.monotonic() - began)]


def latency(send: Callable[[int, str], None], pool: str, runs: int, samples: int) -> list[float]:
    """Returns samples of the milliseconds from before the call to the task's first line."""
    found = []
    for _ in range(samples):
        began = time.monotonic_ns()
        send(1, pool)
        (started,) = record.STAMP.unpack(os.read(runs, record.STAMP.size))
        found.append((started - began) / 1e6)
        time.sleep(random.uniform(*PAUSE))
    return found


def turns(block: Callable[[], list[float]]) -> None:
    """Measures a block for each line of stdin, until it ends."""
    for _ in range(WARM):
        block()
    print(json.dumps("ready"), flush=True)
    for _line in sys.stdin:
        print(json.dumps(block()), flush=True)


def main(module: str, pool: str, command: str, amount: str) -> None:
    app = importlib.import_module(module)
    count = int(amount)
    if command == "send":
        app.send(count, pool)
    elif command == "rate":
        turns(lambda: rate(app.send, pool, count))
    elif command == "batches":
        turns(lambda: rate(app.batch, pool, count))
    else:
        runs = os.open(os.environ["BENCH_RECORD"], os.O_RDWR)
        turns(lambda: latency(app.send, pool, runs, count))


if __name__ == "__main__":
    main(*sys.argv[1:])
