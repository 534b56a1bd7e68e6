"""What a failed task's traceback costs: a third of a failure's time, for a text seen before.

Billiard makes a traceback that can be pickled, and keeps for each frame the place of every
instruction of its function, not of the one that failed: a megabyte while it lasts, hundreds of
kilobytes through a child's pipe. And it writes the text anew each time, for which Python asks the
disk once a file whether it has changed. A storm of failures filled a worker of 100 threads past its
limit, and urgent tasks waited behind it (drill `storm`).
"""

import traceback
from collections.abc import Callable, Iterator
from itertools import repeat
from types import CodeType, SimpleNamespace, TracebackType
from typing import Any, Final

from billiard import einfo

MOST_TEXTS: Final = 200
"""Texts of stacks kept, of a few kilobytes each."""
_UNKNOWN: Final = (None, None, None, None)
"""First line, last line, first column, last column."""
_einfo: Any = einfo
_Places = tuple[tuple[str, str, int, int], ...]
_texts: dict[_Places, str] = {}


class _Unplaced:
    def __init__(self, code: CodeType) -> None:
        self._code = code

    def __getattr__(self, name: str) -> Any:
        return getattr(self._code, name)

    def co_positions(self) -> tuple[()]:
        return ()


class Code(_einfo._Code):
    """Billiard's, and as small as it was before Python had columns."""

    def __init__(self, code: CodeType) -> None:
        super().__init__(_Unplaced(code))

    @property
    def co_positions(self) -> Callable[[], Iterator[Any]]:
        return repeat(_UNKNOWN).__iter__

    def __reduce__(self) -> Any:
        return Code.__new__, (Code,), self.__dict__


def written(kind: Any, error: BaseException, trace: TracebackType | None) -> list[str]:
    """As `traceback.format_exception`. A stack that was written before is not written again."""
    if not _alone(error):
        return traceback.format_exception(kind, error, trace)
    places = tuple(_places(trace))
    text = _texts.get(places)
    if text is None:
        if len(_texts) >= MOST_TEXTS:
            _texts.clear()
        text = _texts[places] = "".join(traceback.format_tb(trace))
    head = "Traceback (most recent call last):\n"
    return [head, text, *traceback.format_exception_only(kind, error)]


def _alone(error: BaseException) -> bool:
    """Whether no other exception is told with it, nor names that its frames know."""
    told_too = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told_too is None and not isinstance(error, (BaseExceptionGroup, NameError))


def _places(trace: TracebackType | None) -> Iterator[tuple[str, str, int, int]]:
    while trace is not None:
        code = trace.tb_frame.f_code
        yield code.co_filename, code.co_name, trace.tb_lineno, trace.tb_lasti
        trace = trace.tb_next


def lighten() -> None:
    """For this process and the children that it forks."""
    _einfo._Frame.Code = Code
    _einfo.traceback = SimpleNamespace(format_exception=written)
