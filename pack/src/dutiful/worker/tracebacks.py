"""Makes the traceback of a failed task cheap: it took a third of a failure's time.

billiard makes a traceback that can be pickled. For each frame it keeps the position of every
instruction of the function and not of the one that failed: a megabyte in memory, and hundreds of
kilobytes through a child's pipe. It also formats the text anew each time, for which Python asks the
disk once for each file whether it has changed. With many failures at once a worker of 100 threads
grew past its memory limit, and urgent tasks waited behind the failures (drill `storm`).
"""

import traceback
from collections.abc import Callable, Iterator
from itertools import repeat
from types import CodeType, SimpleNamespace, TracebackType
from typing import Any, Final

from billiard import einfo

MOST_TEXTS: Final = 200
"""Texts of stacks that are kept, of a few kilobytes each."""
_UNKNOWN: Final = (None, None, None, None)
"""First line, last line, first column, last column."""
_einfo: Any = einfo
_Places = tuple[tuple[str, str, int, int], ...]
_texts: dict[_Places, str] = {}


class _CodeWithoutPositions:
    def __init__(self, code: CodeType) -> None:
        self._code = code

    def __getattr__(self, name: str) -> Any:
        return getattr(self._code, name)

    def co_positions(self) -> tuple[()]:
        return ()


class Code(_einfo._Code):
    """billiard's copy of a code object, without the positions that Python 3.11 added."""

    def __init__(self, code: CodeType) -> None:
        super().__init__(_CodeWithoutPositions(code))

    @property
    def co_positions(self) -> Callable[[], Iterator[Any]]:
        return repeat(_UNKNOWN).__iter__

    def __reduce__(self) -> Any:
        return Code.__new__, (Code,), self.__dict__


def format_exception(kind: Any, error: BaseException, trace: TracebackType | None) -> list[str]:
    """As `traceback.format_exception`; the text of a stack is formatted once and then kept."""
    if not _is_alone(error):
        return traceback.format_exception(kind, error, trace)
    places = tuple(_places(trace))
    text = _texts.get(places)
    if text is None:
        if len(_texts) >= MOST_TEXTS:
            _texts.clear()
        text = _texts[places] = "".join(traceback.format_tb(trace))
    head = "Traceback (most recent call last):\n"
    return [head, text, *traceback.format_exception_only(kind, error)]


def _is_alone(error: BaseException) -> bool:
    """Whether its text is made of its own frames alone.

    A cause, a context and the members of a group are formatted with it; a NameError's text has
    suggestions from its frames.
    """
    shown_too = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return shown_too is None and not isinstance(error, (BaseExceptionGroup, NameError))


def _places(trace: TracebackType | None) -> Iterator[tuple[str, str, int, int]]:
    while trace is not None:
        code = trace.tb_frame.f_code
        yield code.co_filename, code.co_name, trace.tb_lineno, trace.tb_lasti
        trace = trace.tb_next


def install() -> None:
    """Replaces billiard's functions in this process and in the children that it forks."""
    _einfo._Frame.Code = Code
    _einfo.traceback = SimpleNamespace(format_exception=format_exception)
