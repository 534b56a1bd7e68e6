"""`python -E -m dutiful.worker.probe [--name io@host] [--pid 7] [--seconds 60]`

Exit code 0: every worker that was asked about makes progress. 1: one does not, or there is none.
2: wrong arguments. It prints one line for each worker. Without --name and --pid it checks all
workers of this user on this machine (in a container: of this container).
"""

import sys
import time
from typing import Any

from dutiful.worker.probe import record

SECONDS = 60.0
"""How long a loop or a pool may stand still. This is more than a broker's timeouts add up to."""
USAGE = "usage: python -E -m dutiful.worker.probe [--name NAME] [--pid PID] [--seconds SECONDS]"


def why_dead(facts: dict[str, Any], now: float, seconds: float) -> str:
    """Returns the reason for which this worker counts as dead; "" if it does not."""
    if now - facts["written"] > seconds:
        return f"nothing moves in it for {now - facts['written']:.0f} s (stopped, or out of memory)"
    if not facts["loop_excused"] and now - facts["loop"] > seconds:
        return f"its event loop stands still for {now - facts['loop']:.0f} s"
    if now - facts["pool"] > seconds:
        return f"its pool starts nothing for {now - facts['pool']:.0f} s: {facts['pool_problem']}"
    return ""


def main(arguments: list[str]) -> int:
    """Prints a line for each worker that was found; returns the exit code."""
    try:
        options = dict(zip(arguments[::2], arguments[1::2], strict=True))
        name, pid = options.pop("--name", ""), int(options.pop("--pid", "0"))
        seconds = float(options.pop("--seconds", SECONDS))
    except ValueError:
        options = {"": ""}
    if options:
        print(USAGE, file=sys.stderr)
        return 2
    found = [
        facts
        for facts in record.read_all()
        if (not name or facts["name"] == name) and (not pid or facts["pid"] == pid)
    ]
    if not found:
        print("dead: no such worker has started here")
        return 1
    now = time.monotonic()
    dead = 0
    for facts in found:
        why = why_dead(facts, now, seconds)
        dead += bool(why)
        status = f"dead, {why}" if why else facts["status"]
        print(f"{facts['name']} (pid {facts['pid']}): {status}")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
