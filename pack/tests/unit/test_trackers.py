"""A tracker of your own: what it receives; one that hangs or cannot be imported."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from dutiful import env
from dutiful.errors import trackers
from dutiful.testing.processes import wait_for

Call = tuple[BaseException | None, str, dict[str, str]]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    trackers._tracker = None
    trackers._forget()
    trackers.TROUBLE.close()


def event(**more: Any) -> dict[str, Any]:
    return {"message": "beat is silent", "level": "fatal", "tags": {"alert": "beat-silent"}, **more}


def set_to(monkeypatch: pytest.MonkeyPatch, tracker: Any) -> None:
    monkeypatch.setattr(trackers, "_tracker", tracker)


def told(monkeypatch: pytest.MonkeyPatch, *events: tuple[dict[str, Any], Any]) -> list[Call]:
    calls: list[Call] = []
    set_to(monkeypatch, lambda *call: calls.append(call))
    for each, error in events:
        trackers.report(each, {"exc_info": (type(error), error, None)} if error else {})
    trackers.Alone().flush(10)
    return calls


def test_a_message_comes_without_an_error_and_a_logged_error_with_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = [{"type": "MemoryError", "value": ""}]
    logged = {"logentry": {"message": "a slot broke"}, "exception": {"values": values}, "tags": {}}
    first, second = told(monkeypatch, (event(), None), (logged, MemoryError()))
    assert first == (None, "beat is silent", {"alert": "beat-silent", "level": "fatal"})
    assert second[1:] == ("a slot broke: MemoryError", {})
    assert type(second[0]).__name__ == "MemoryError"


class Refused(Exception):
    """Its class takes more than one argument, and it keeps them as attributes."""

    def __init__(self, person: str, *, status: int) -> None:
        super().__init__(f"{person}: {status}")
        self.sent = person


def caught() -> BaseException:
    try:
        try:
            raise KeyError("anna@example.com")
        except KeyError as cause:
            raise Refused("anna@example.com", status=422) from cause
    except Refused as error:
        return error


def test_the_error_is_one_of_its_name_and_place_without_people() -> None:
    error = caught()
    like = trackers.masked(error)
    error.__cause__ = error
    assert trackers.masked(error) is not None, "a loop of causes"
    assert like is not None
    assert (str(like), str(like.__cause__)) == ("[mail]: 422", "'[mail]'")
    assert f"{type(like).__module__}.{type(like).__qualname__}" == f"{__name__}.Refused"
    assert like.__traceback__ is error.__traceback__
    assert not vars(like)


def test_what_it_logs_as_an_error_does_not_come_back_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def log(_: Any, sentence: str, __: Any) -> None:
        calls.append(sentence)
        trackers.report(event(message="cannot reach the tracker"), {})

    set_to(monkeypatch, log)
    trackers.report(event(), {})
    trackers.Alone().flush(10)
    assert calls == ["beat is silent"]


def test_one_that_hangs_holds_up_nobody_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun, ends = threading.Event(), threading.Event()

    def hang(*_: Any) -> None:
        begun.set()
        ends.wait(60)

    set_to(monkeypatch, hang)
    trackers.report(event(), {})
    assert begun.wait(10)
    with caplog.at_level(logging.WARNING):
        for _ in range(trackers.WAITING + 10):
            trackers.report(event(), {})
    assert len([each for each in caplog.messages if "it hangs, or is slow" in each]) == 1
    ends.set()
    wait_for("the rest", lambda: not trackers._calls.full())


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("bugsnag", "'bugsnag' is not a dotted path such as shop.trackers.bugsnag"),
        ("nowhere.at.all", "'nowhere.at.all' cannot be imported: No module named 'nowhere'"),
        ("os.path.nothing", 'cannot be imported: Module "os.path" does not define a "nothing"'),
        ("os.path.sep", "'os.path.sep' cannot be called"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(
    monkeypatch: pytest.MonkeyPatch, path: str, line: str
) -> None:
    monkeypatch.setenv("ERROR_TRACKER", path)
    with pytest.raises(env.EnvError, match="ERROR_TRACKER=") as refused:
        trackers.start()
    assert line in str(refused.value)
