"""A worker goes on running suspects in isolation, whatever failed in one of these runs."""

from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from dutiful.testing.processes import wait_for
from dutiful.worker.quarantine import runner
from dutiful.worker.quarantine.isolated_run import IsolatedRun


class Sent:
    """What the runner needs of a request."""

    acknowledged = False
    ours = True
    name = id = "a"

    def __init__(self) -> None:
        owner = SimpleNamespace(isolates=False)
        self.message = SimpleNamespace(final_run=False, channel=SimpleNamespace(owner=owner))
        self.task = SimpleNamespace(acks_late=True)
        self.back: list[float] = []

    def give_back(self, after: float = 0) -> None:
        self.back.append(after)
        self.acknowledged = True


@pytest.fixture(autouse=True)
def no_runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(runner, "_runner", None)
    yield
    runner._runner = None


def broken(*_: Any) -> None:
    raise RuntimeError("broken")


def test_a_run_that_fails_is_put_back_even_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def ends_then_breaks(_: Any, run: IsolatedRun) -> None:
        run._end()
        broken()

    for way in (broken, ends_then_breaks):
        monkeypatch.setattr(runner.IsolatedRunner, "_make", way)
        request: Any = Sent()
        runner.start(request)
        wait_for("its put-back", partial(getattr, request, "back"), 10)
        assert len(request.back) == 1
        assert not request.message.channel.owner.isolates


def test_a_runner_that_could_not_start_or_died_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(runner.IsolatedRunner, "start", broken)  # no thread could be started
        with pytest.raises(RuntimeError):
            runner.start(Sent())  # type: ignore[arg-type]
    monkeypatch.setattr(runner.IsolatedRunner, "_make", broken)
    request: Any = Sent()
    runner.start(request)
    wait_for("its put-back", lambda: request.back, 10)


def test_claims_know_while_a_run_is_under_way() -> None:
    request: Any = Sent()
    run = IsolatedRun(request, ())
    owner = request.message.channel.owner
    assert owner.isolates
    run.give_back()
    assert not owner.isolates
