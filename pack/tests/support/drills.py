"""Runs a drill as a user does and reads its JSON object."""

import json
import subprocess
from typing import Any

from dutiful import env
from dutiful.testing.processes import manage


def drill(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs `manage.py drill …`; kills it after four minutes."""
    return subprocess.run(
        manage("drill", *words), cwd=env.ROOT, capture_output=True, text=True, timeout=240
    )


def kept(name: str) -> dict[str, Any]:
    """Returns the result of `--quick`; fails with all of it if ours broke the promise."""
    ended = drill(name, "--quick", "--json")
    assert ended.stdout, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    assert (ended.returncode, found["drill"], found["kept"]) == (0, name, True), (
        f"{found}\n{ended.stderr}"
    )
    ours = found["ours"]
    assert (ours["run"], ours["lost"], ours["stuck"]) == (ours["sent"], 0, 0)
    return found
