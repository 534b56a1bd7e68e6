"""The drills as a user runs them: the promise is kept, and stock Celery beside ours is counted."""

import json
import subprocess

import pytest

from project import env
from tests.support.processes import manage


def drill(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        manage("drill", *words), cwd=env.ROOT, capture_output=True, text=True, timeout=170
    )


@pytest.mark.timeout(200)
def test_crowd_keeps_its_promise() -> None:
    ended = drill("crowd", "--quick", "--json")
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert (found["drill"], found["kept"]) == ("crowd", True)
    for contender in ("ours", "stock", "tuned"):
        counts = found[contender]
        assert (counts["sent"], counts["run"], counts["lost"], counts["twice"]) == (60, 60, 0, 0)
    assert found["ours"]["urgent_wait_longest_seconds"] <= 5


def test_an_unknown_drill_names_the_choices() -> None:
    assert "crowd" in drill("--list").stdout
    assert "Choose from crowd" in drill("flood").stderr
