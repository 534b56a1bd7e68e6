"""Jobs and results of any size pass between a prefork worker and its children, whole and once."""

from pathlib import Path

import pytest

from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from dutiful.worker.prefork.pipes import LENGTH, WHOLE, payload, split
from tests.support import pipes


def test_small_and_large_jobs_arrive(start_worker: StartWorker, tmp_path: Path) -> None:
    start_worker("-Q", "average_slow_compute", "-c", "2", "-I", "tests.support.pipes")
    sizes = [0, 100, 3_000, 3_500, 3_900, 4_000, 4_200, 20_000, 30_000] * 20
    for size in sizes:
        pipes.weigh.delay(str(tmp_path / "seen"), "x" * size)

    def lines() -> list[str]:
        seen = tmp_path / "seen"
        return seen.read_text().split() if seen.exists() else []

    wait_for("all jobs", lambda: len(lines()) >= len(sizes), 60)
    assert sorted(map(int, lines())) == sorted(sizes)


def test_results_larger_than_a_pipe_are_read(start_worker: StartWorker) -> None:
    worker = start_worker("-Q", "average_slow_compute", "-c", "2", "-I", "tests.support.pipes")
    sizes = [10, 5_000, 70_000, 300_000] * 5
    for size in sizes:
        pipes.complain.delay(size)
    wait_for("all runs", lambda: worker.log.count("pipes.complain") >= len(sizes), 60)
    # If a result were read in part, its child would count as busy for ever.
    wait_for("both children free", lambda: "task_run" in worker.log)
    pipes.complain.delay(1)
    wait_for("one more", lambda: worker.log.count("task_run") >= len(sizes) + 1, 60)


@pytest.mark.parametrize("size", [0, 1, WHOLE - LENGTH.size, WHOLE - LENGTH.size + 1, 100_000])
def test_a_payload_is_the_length_and_the_body(size: int) -> None:
    data = b"x" * size
    header, body, left = payload(data)
    assert bytes(header) + bytes(body) == LENGTH.pack(size) + data
    assert left == len(body)
    assert len(header) <= WHOLE


def test_what_is_read_is_cut_into_messages() -> None:
    import pickle

    sent = [pickle.dumps(("state", (number,) * number)) for number in range(5)]
    stream = b"".join(LENGTH.pack(len(each)) + each for each in sent)
    for cut in range(len(stream) + 1):
        messages, rest = split(stream[:cut])
        assert rest == stream[:cut][len(stream[:cut]) - len(rest) :]
        more, left = split(rest + stream[cut:])
        assert [*messages, *more] == [("state", (number,) * number) for number in range(5)]
        assert left == b""
