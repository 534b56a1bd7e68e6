"""`python -m dutiful docs [NAME]` prints the pages that errors refer to."""

import os
import sys
from collections.abc import Sequence

from dutiful import pages

USAGE = "usage: python -m dutiful docs [NAME]"


def main(words: Sequence[str]) -> int:
    """Returns the exit code: 0, or 2 for a command or a page that does not exist."""
    if list(words[:1]) != ["docs"] or len(words) > 2:
        print(USAGE, file=sys.stderr)
        return 2
    if len(words) == 1:
        print(f"{USAGE}\n\n" + "\n".join(f"  {name}" for name in pages.names()))
        return 0
    try:
        print(pages.text(words[1]))
    except KeyError:
        print(
            f"no page {words[1]!r}; choose from {', '.join(pages.names())}",
            file=sys.stderr,
        )
        return 2
    return 0


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # `| head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
