"""Retry policies: growing waits with jitter, errors that end them, and Retry-After."""

from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from types import SimpleNamespace
from urllib.error import HTTPError

from dutiful import env
from dutiful.task.retries import (
    LONGEST_RETRY_AFTER,
    NAMED,
    NEVER,
    PATIENT,
    PermanentError,
    Retry,
    RetryAfter,
    retry_after,
)

FIRM = Retry(times=4, backoff=2, cap=10, floor=1, jitter=False)


def test_waits_double_up_to_the_cap_then_stop() -> None:
    assert [FIRM.wait(OSError(), attempt) for attempt in range(5)] == [3, 5, 9, 11, None]
    assert FIRM.longest == 28


def test_jitter_is_full_above_the_floor() -> None:
    waits = [PATIENT.wait(OSError(), 3) or 0 for _ in range(500)]
    assert min(waits) >= PATIENT.floor
    assert max(waits) <= PATIENT.ceiling(3)
    # A narrow band would bring a thousand failures back together.
    assert max(waits) - min(waits) > 0.8 * (PATIENT.ceiling(3) - PATIENT.floor)


def test_a_permanent_error_stops_at_once() -> None:
    assert FIRM.wait(PermanentError("gone"), 0) is None


def test_on_and_ignore_choose() -> None:
    policy = Retry(times=3, on=(OSError,), ignore=(FileNotFoundError,))
    assert policy.wait(TimeoutError(), 0) is not None
    assert policy.wait(FileNotFoundError(), 0) is None
    assert policy.wait(ValueError(), 0) is None
    assert NEVER.wait(OSError(), 0) is None


def http_error(value: str) -> HTTPError:
    headers = Message()
    headers["Retry-After"] = value
    return HTTPError("http://127.0.0.1/", 429, "Too Many Requests", headers, None)


def test_retry_after_is_read_from_each_client() -> None:
    response = SimpleNamespace(headers={"Retry-After": "7"})
    httpx_like = type("HTTPStatusError", (Exception,), {"response": response})()
    assert retry_after(httpx_like) == 7
    assert retry_after(RetryAfter(3)) == 3
    with http_error("12") as error:
        assert retry_after(error) == 12
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    with http_error(later) as error:
        assert 80 < (retry_after(error) or 0) <= 90
    with http_error("soon") as error:
        assert retry_after(error) is None
    assert retry_after(OSError()) is None


def test_retry_after_is_honoured_and_bounded() -> None:
    assert (FIRM.wait(RetryAfter(40), 0) or 0) >= 40
    assert (FIRM.wait(RetryAfter(1e9), 0) or 0) <= LONGEST_RETRY_AFTER + FIRM.ceiling(0)


def test_the_docs_show_each_policys_total_wait() -> None:
    page = (env.ROOT / "docs" / "retries.md").read_text()
    for name, policy in NAMED.items():
        assert f"| `{name}` | {policy.times} | {policy.longest / 60:.0f} min |" in page, name
