"""What passes between a worker and the child of an isolated run arrives unchanged."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from billiard.einfo import ExceptionInfo
from celery.exceptions import Ignore, Reject, Retry
from kombu.utils import json as kombu_json

from dutiful.task.arguments import ArgumentsDoNotFit, refuse_misfit
from dutiful.worker.quarantine import pipe_format

WHEN: Any = 3  # seconds


def through(failed: bool, value: Any) -> tuple[int, Any, float]:
    return pipe_format.decode_outcome(
        json.loads(json.dumps(pipe_format.encode_outcome(failed, value, 1.5)))
    )


def info(error: Exception) -> Any:
    try:
        raise error
    except type(error):
        return ExceptionInfo()


def error_of(found: Any) -> Any:
    return getattr(found.exception, "exc", found.exception)


def test_success() -> None:
    assert through(False, "'a result'") == (0, "'a result'", 1.5)


def test_a_failure_keeps_its_text_and_its_traceback() -> None:
    failed, found, seconds = through(True, info(ValueError("no room")))
    assert (failed, seconds) == (1, 1.5)
    assert str(error_of(found)) == "ValueError: no room"
    assert "in info\n    raise error" in found.traceback


@pytest.mark.parametrize(
    "error",
    [Ignore(), Retry(exc=OSError("away"), when=WHEN), ArgumentsDoNotFit("one too many")],
    ids=lambda error: type(error).__name__,
)
def test_what_celery_acts_on_keeps_its_type(error: Exception) -> None:
    _, found, _ = through(True, info(error))
    assert type(error_of(found)) is type(error)
    if isinstance(error, Retry):
        assert "away" in repr(error_of(found).exc)
        assert error_of(found).when == 3


@pytest.mark.parametrize("requeue", [True, False])
def test_a_reject_keeps_whether_to_requeue(requeue: bool) -> None:
    _, found, _ = through(True, info(Reject("not now", requeue=requeue)))
    assert error_of(found).requeue is requeue


@pytest.mark.parametrize("body", ["[[1], {}, {}]", b"[[1], {}, {}]", memoryview(b"[]")])
def test_a_body_arrives_unchanged(body: Any) -> None:
    class Sent:
        request_dict = {"id": "1", "args": [object()], "kwargs": {}, "retries": 2}
        type = id = content_type = content_encoding = hostname = "a"
        message = SimpleNamespace(final_run=True)

    request: Any = Sent()
    request.body = body
    length, text = pipe_format.encode_job(request, ("a.module",), 7).split(b"\n", 1)
    assert int(length) == len(text)
    job = kombu_json.loads(text)
    assert pipe_format.decode_body(job) == (body if isinstance(body, str) else bytes(body))
    assert job["request"] == {"id": "1", "retries": 2}
    assert job["include"] == ["a.module"]
    assert job["parent"] == 7


def test_arguments_that_fit_pass_and_values_are_not_quoted() -> None:
    def run(pk: int, *, force: bool = False) -> None:
        """A task's function."""

    refuse_misfit("a.task", run, [1], {"force": True})
    with pytest.raises(ArgumentsDoNotFit, match="unexpected keyword argument 'colour'") as caught:
        refuse_misfit("a.task", run, ["anna@example.com"], {"colour": "red"})
    assert "anna@example.com" not in str(caught.value)
    assert "a.task(pk: int, *, force: bool = False)" in str(caught.value)
