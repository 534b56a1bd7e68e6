"""A contender's publishing process: `python -m tests.benchmarks.publisher MODULE POOL COMMAND …`.

A process of its own for each contender, so that none inherits another's imports. Commands:
`send COUNT`, and those that wait for their turn: a line comes in, a block is measured, a JSON list
goes out. So stock and ours take turns within a tenth of a second and meet the same neighbours.
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
"""Blocks before the first that counts: connections, caches, imports."""
PAUSE: Final = (0.002, 0.010)
"""Seconds between two samples of the latency, drawn evenly: the worker is idle again."""


def rate(send: Callable[[int, str], None], pool: str, count: int) -> list[float]:
    """Messages a second of one thread that publishes so many without a pause."""
    began = time.monotonic()
    send(count, pool)
    return [count / (time.monotonic() - began)]


def latency(send: Callable[[int, str], None], pool: str, runs: int, samples: int) -> list[float]:
    """Milliseconds from before the call to the task's first line, one after another."""
    found = []
    for _ in range(samples):
        began = time.monotonic_ns()
        send(1, pool)
        (started,) = record.STAMP.unpack(os.read(runs, record.STAMP.size))
        found.append((started - began) / 1e6)
        time.sleep(random.uniform(*PAUSE))
    return found


def turns(block: Callable[[], list[float]]) -> None:
    """A block for each line of standard input, until it ends."""
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
