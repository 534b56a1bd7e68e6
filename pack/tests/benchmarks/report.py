"""The text around the figures: machine, versions, settings, and a table of the results."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from dutiful.dev.embedded import server_binary
from tests.benchmarks.systems import OTHERS, OURS, SLOTS, STOCK

OWN: Final = ["celery", "kombu", "redis", "hiredis", "Django"]
PEERS: Final = ["dramatiq", "rq", "huey", "taskiq", "taskiq-redis"]


def machine() -> dict[str, str]:
    """Returns the machine, its load and the versions."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    server = subprocess.run([server_binary(), "--version"], capture_output=True, text=True)
    return {
        "machine": f"{os.cpu_count()} cores, {_processor()}, {platform.system()}",
        "load": f"{load} (1, 5, 15 minutes, before the start)",
        "python": platform.python_version(),
        "server": " ".join(server.stdout.split()[:3]),
        "versions": ", ".join(f"{name} {version(name)}" for name in OWN + PEERS),
    }


def settings() -> dict[str, str]:
    """Returns how each system is configured, in a sentence."""
    each = {
        "slots": ", ".join(f"{pool} {slots}" for pool, slots in SLOTS.items()),
        "broker": "a server of its own for each system and round, AOF every second",
        "stock": f"task_acks_late, -l INFO, else defaults; {STOCK.promises}",
        "ours": f"production settings, events and logs as deployed; {OURS.promises}",
    }
    return each | {peer.name: f"defaults; {peer.promises}" for peer in OTHERS}


def table(found: dict[str, Any]) -> str:
    """Returns the result of a benchmark as two or three lines of text."""
    lines = [f"\n{found['name']} ({found['unit']}, {found['slots']} slots)"]
    for end in ("", "_p99"):
        if "ratio" + end in found:
            ours, stock, ratio = (found[key + end] for key in ("ours", "stock", "ratio"))
            lines.append(f"  {'99 %' if end else 'median':8} ours {ours:,g}  stock {stock:,g}")
            lines[-1] += f"  ratio {ratio:.2f}  pairs {found['rounds' + end]}"
    lines[1] += f"  (goal {found['goal']})"
    if found["peers"]:
        lines.append(
            "  " + "  ".join(f"{name} {value:,g}" for name, value in found["peers"].items())
        )
    return "\n".join(lines)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
