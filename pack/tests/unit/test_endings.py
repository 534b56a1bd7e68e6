"""How an ending is described: the reason, the exception, the group, the attempts."""

from typing import Any

import pytest
from billiard.einfo import ExceptionInfo
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery.exceptions import Ignore, Reject, Retry
from django.conf import settings

from dutiful.beat.tasks import purge
from dutiful.deadletters.fingerprint import fingerprint, normal, own_frame
from dutiful.task import attempts
from dutiful.task.arguments import ArgumentsDoNotFit
from dutiful.task.endings import LONGEST_TRACEBACK, Ending, ending_of
from dutiful.task.retries import PermanentError


def ended(error: BaseException, retries: int = 0, most: int = 0) -> Ending | None:
    try:
        raise error
    except BaseException:  # noqa: BLE001  # as a pool does
        return ending_of(ExceptionInfo(), error, retries, most)


@pytest.mark.parametrize(
    ("error", "retries", "most", "reason"),
    [
        (ValueError("x"), 3, 3, "retries exhausted"),
        (ValueError("x"), 0, 3, "failed"),
        (ValueError("x"), 0, 0, "failed"),
        (PermanentError("x"), 0, 3, "permanent error"),
        (ArgumentsDoNotFit("x"), 0, 3, "arguments do not fit"),
        (TimeLimitExceeded(3), 0, 0, "hard time limit"),
        (WorkerLostError("x"), 0, 0, "process lost"),
        (Reject("x", requeue=False), 0, 0, "rejected"),
    ],
)
def test_each_end_has_its_reason(error: Any, retries: int, most: int, reason: str) -> None:
    found = ended(error, retries, most)
    assert found is not None
    assert found.reason == reason
    assert found.exception.endswith(type(error).__name__)


@pytest.mark.parametrize("error", [Ignore("x"), Retry("x"), Reject("x", requeue=True)])
def test_what_goes_on_has_not_ended(error: BaseException) -> None:
    assert ended(error) is None


def test_many_lines_and_a_long_traceback() -> None:
    found = ended(ValueError("one\n  two\nthree"))
    assert found is not None
    assert (found.exception, found.message) == ("ValueError", "one\n  two\nthree")
    deep = ended(ValueError("x" * 50_000))
    assert deep is not None
    assert len(deep.as_json()) < LONGEST_TRACEBACK + 5_000


def test_a_group_is_the_same_failure_whatever_the_row() -> None:
    first = normal("order 17 of anna@example.com at 0x7f3a, 3f2504e0-4f89-41d3-9a0c-0305e82c3301")
    assert first == normal("order 4 of b@c.de at 0x1, aa2504e0-4f89-41d3-9a0c-0305e82c3309")
    assert normal("no such key 'a'") != normal("no such key 'b'")
    root = settings.BASE_DIR
    trace = (
        f'  File "{root}/tasks/base.py", line 3, in perform\n'
        f'  File "{root}/shop/pay.py", line {{}}, in pay\n'
        f'  File "{root}/.venv/lib/site-packages/http.py", line 9, in get\n'
    )
    assert own_frame(trace.format(7)) == ("shop/pay.py:7 in pay", "shop/pay.py in pay")
    assert own_frame("nothing") == ("", "")
    places = {own_frame(trace.format(line))[1] for line in (7, 8)}
    assert len({fingerprint("t", "failed", "E", place, "x") for place in places}) == 1


def test_attempts_are_bounded() -> None:
    known: Any = "whatever came"
    for number in range(50):
        known = attempts.with_attempt(known, ValueError(f"{number} " + "x" * 999), "io@a")
    assert len(known) == attempts.MOST
    assert known[0][2].startswith("ValueError: 0 ")
    assert known[-1][2].startswith("ValueError: 49 ")
    assert all(len(words) <= attempts.LONGEST for _, _, words in known)


def test_the_callers_headers_stay_and_no_others() -> None:
    came = {"id": "1", "task": "t", "idempotency_key": "k", "x-death": [], "_own": 1, "eta": None}
    assert attempts.custom(came) == {"idempotency_key": "k"}


def test_a_retry_or_replacement_that_cannot_be_published_sends_the_message_back() -> None:
    task: Any = purge

    class Away:
        options: Any = {}

        def __init__(self, error: Exception) -> None:
            self.error = error

        def apply_async(self) -> None:
            raise self.error

    request = type("request", (), {"_again": Away(OSError("gone")), "_error": None})()
    with pytest.raises(Reject) as sent_back:
        task._publish_next(request)
    assert sent_back.value.requeue  # type: ignore[attr-defined]
    request._again = Away(ValueError("too large"))
    with pytest.raises(ValueError, match="too large"):
        task._publish_next(request)
