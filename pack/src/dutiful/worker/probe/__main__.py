"""`python -E -m dutiful.worker.probe [--name io@host] [--pid 7] [--seconds 60]`

Exit code 0: every worker asked about moves. 1: one does not, or there is none; one line says why.
Without --name and --pid: all workers of this user on this machine (in this container).
"""

import sys
import time
from typing import Any

from dutiful.worker.probe import record

SECONDS = 60.0
"""How long a loop or a pool may stand still. More than a broker's timeouts add up to."""
USAGE = "usage: python -E -m dutiful.worker.probe [--name NAME] [--pid PID] [--seconds SECONDS]"


def verdict(facts: dict[str, Any], now: float, seconds: float) -> str:
    """Why this worker counts as dead, or ""."""
    if now - facts["written"] > seconds:
        return f"nothing moves in it for {now - facts['written']:.0f} s (stopped, or out of memory)"
    if not facts["excused"] and now - facts["loop"] > seconds:
        return f"its event loop stands still for {now - facts['loop']:.0f} s"
    if now - facts["pool"] > seconds:
        return f"its pool starts nothing for {now - facts['pool']:.0f} s: {facts['pool_says']}"
    return ""


def main(words: list[str]) -> int:
    try:
        wanted = dict(zip(words[::2], words[1::2], strict=True))
        name, pid = wanted.pop("--name", ""), int(wanted.pop("--pid", "0"))
        seconds = float(wanted.pop("--seconds", SECONDS))
    except ValueError:
        wanted = {"": ""}
    if wanted:
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
        why = verdict(facts, now, seconds)
        dead += bool(why)
        print(f"{facts['name']} (pid {facts['pid']}): {'dead, ' + why if why else facts['says']}")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
