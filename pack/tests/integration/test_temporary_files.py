"""A worker that is killed leaves nothing in the temporary folder but the probe's record."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running, celery
from dutiful.worker.probe import record


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("profile", ["io", "compute"])
def test_a_worker_leaves_nothing_behind(
    start: Callable[..., Running],
    server: EmbeddedBroker,
    django_db_setup: None,
    tmp_path: Path,
    profile: str,
    how: signal.Signals,
) -> None:
    system = tmp_path / "system"
    system.mkdir()
    environment = {"BROKER_URL": server.url, "TMPDIR": str(system), "GRACE_SECONDS": "2"}
    command = celery("worker", "--profile", profile, "-c", "2")
    worker = start(command, environment)
    worker.wait_for_log(" ready.")
    folder = Path(record.folder(str(system)))
    if how is signal.SIGTERM:
        worker.signal(how)
        worker.wait()
        assert files(system) == [folder.name]
        return
    worker.kill_group()
    left = Path(record.path(worker.pid, str(system)))
    assert set(files(system)) <= {
        folder.name,
        *(f"{folder.name}/{left.name}{end}" for end in ("", ".new")),
    }
    # The next worker removes the record of a dead one.
    start(command, environment).wait_for_log(" ready.")
    assert not left.exists()
