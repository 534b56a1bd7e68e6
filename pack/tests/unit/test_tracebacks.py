"""A failed task's traceback is small, can be pickled, and has the usual text."""

import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from billiard.einfo import ExceptionInfo

from dutiful.worker import tracebacks


def _fail() -> None:
    raise LookupError("no such order")


def _chained() -> None:
    try:
        _fail()
    except LookupError as error:
        raise ValueError("no order") from error


def _during() -> None:
    try:
        _fail()
    except LookupError:
        raise ValueError("no order")  # noqa: B904  # the case


def _hidden() -> None:
    try:
        _fail()
    except LookupError:
        raise ValueError("no order") from None


def _noted() -> None:
    error = ValueError("no order\nand none will come")
    error.add_note("look at the shop")
    raise error


def _misspelled() -> None:
    number = 7
    assert number == numbr  # type: ignore[name-defined]  # noqa: F821  # the case


def _group() -> None:
    raise ExceptionGroup("two", [ValueError("a"), ValueError("b")])


def _syntax() -> None:
    compile("a b", "x.py", "exec")


CASES = (_fail, _chained, _during, _hidden, _noted, _misspelled, _group, _syntax)


def _info(fail: Callable[[], None] = _fail) -> tuple[Any, str]:
    """The traceback of billiard, and Python's own."""
    try:
        fail()
    except Exception as error:  # noqa: BLE001  # of any kind
        return ExceptionInfo(), "".join(traceback.format_exception(error))
    raise AssertionError("it did not fail")


def test_it_keeps_no_place_of_each_instruction() -> None:
    code = _info()[0].tb.tb_frame.f_code
    assert type(code) is tracebacks.Code
    assert not vars(code)["_co_positions"]


@pytest.mark.parametrize("fail", CASES)
def test_it_reads_as_python_writes_it_the_first_time_and_the_next(fail: Any) -> None:
    for _ in range(2):
        info, wanted = _info(fail)
        assert info.traceback == wanted


def test_a_stack_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _info()
    monkeypatch.delattr(traceback, "format_tb")
    info, _ = _info()
    assert info.traceback.endswith("LookupError: no such order\n")


def test_texts_have_an_end() -> None:
    for number in range(2 * tracebacks.MOST_TEXTS):
        names: dict[str, Any] = {}
        exec(f"def fail_{number}(): raise ValueError", names)
        _info(names[f"fail_{number}"])
    assert len(tracebacks._texts) <= tracebacks.MOST_TEXTS


def test_it_reads_the_same_through_a_pipe() -> None:
    info, _ = _info()
    text = "".join(traceback.format_tb(pickle.loads(pickle.dumps(info)).tb))
    assert "in _info\n    fail()\n" in text
    assert "in _fail\n    raise LookupError" in text
