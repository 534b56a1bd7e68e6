"""Database connections of tasks: a child keeps its own, dead ones are replaced, none stays open."""

import os
from pathlib import Path

import pytest

from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from tests.support import connecting

pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="PostgreSQL's"),
]


class Asked:
    """Asks one after another, in a worker with one slot."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __call__(self, task: object = connecting.ask) -> tuple[int, int, int]:
        """pid of the process, its connects so far, the server's process."""
        before = self.lines()
        task.delay(str(self.file))  # type: ignore[attr-defined]
        wait_for("an answer", lambda: len(self.lines()) > len(before), 30)
        pid, connects, backend = map(int, self.lines()[-1].split())
        return pid, connects, backend

    def lines(self) -> list[str]:
        text = self.file.read_text() if self.file.exists() else ""
        return text[: text.rfind("\n") + 1].splitlines()


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path / "seen")


def _end(backend: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])


def test_a_child_keeps_its_connection(start_worker: StartWorker, asked: Asked) -> None:
    start_worker("-Q", "average_slow_compute", "-c", "1", "-I", "tests.support.connecting")
    answers = {asked() for _ in range(10)}
    assert len(answers) == 1  # one process, one connect, one backend
    assert next(iter(answers))[1] == 1


def test_a_dead_connection_is_replaced_before_a_task_sees_it(
    start_worker: StartWorker, asked: Asked
) -> None:
    worker = start_worker("-Q", "average_slow_compute", "-c", "1", "-I", "tests.support.connecting")
    pid, connects, backend = asked()
    _end(backend)
    again = asked()
    assert again[:2] == (pid, connects + 1)
    assert again[2] != backend
    assert "Error" not in worker.log


def test_what_a_task_left_open_is_no_other_tasks(start_worker: StartWorker, asked: Asked) -> None:
    worker = start_worker("-Q", "average_slow_compute", "-c", "1", "-I", "tests.support.connecting")
    _, _, left = asked(connecting.leave)
    _, connects, backend = asked()
    assert (connects, backend != left) == (2, True)
    assert "Error" not in worker.log


def test_threads_hold_no_connection_between_tasks(start_worker: StartWorker, asked: Asked) -> None:
    start_worker(
        "-Q", "average_slow_compute", "-P", "threads", "-c", "3", "-I", "tests.support.connecting"
    )
    connects = [asked()[1] for _ in range(5)]
    first = connects[0]  # the worker's own start may have connected
    assert connects == [first, first + 1, first + 2, first + 3, first + 4]
