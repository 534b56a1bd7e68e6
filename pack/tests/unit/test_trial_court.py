"""A worker goes on giving hearings, whatever broke in one."""

from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from dutiful.testing.processes import wait_for
from dutiful.worker.quarantine import quarantine
from dutiful.worker.quarantine.case import Case


class Sent:
    """What a court needs of a request."""

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
def no_court(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(quarantine, "_court", None)
    yield
    quarantine._court = None


def broken(*_: Any) -> None:
    raise RuntimeError("broken")


def test_a_case_that_breaks_goes_back_even_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def ends_then_breaks(_: Any, case: Case) -> None:
        case._end()
        broken()

    for way in (broken, ends_then_breaks):
        monkeypatch.setattr(quarantine.Court, "_try", way)
        request: Any = Sent()
        quarantine.start(request)
        wait_for("its way back", partial(getattr, request, "back"), 10)
        assert len(request.back) == 1
        assert not request.message.channel.owner.isolates


def test_a_court_that_could_not_start_or_died_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(quarantine.Court, "start", broken)  # no thread is to be had
        with pytest.raises(RuntimeError):
            quarantine.start(Sent())  # type: ignore[arg-type]
    monkeypatch.setattr(quarantine.Court, "_try", broken)
    request: Any = Sent()
    quarantine.start(request)
    wait_for("its way back", lambda: request.back, 10)


def test_a_claim_is_told_while_a_case_is_under_way() -> None:
    request: Any = Sent()
    case = Case(request, ())
    owner = request.message.channel.owner
    assert owner.isolates
    case.give_back()
    assert not owner.isolates
