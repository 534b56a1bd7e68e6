"""The table that `make up` shows once everything is up."""

from collections.abc import Iterable

Row = tuple[str, str, str, str]
HEAD: Row = ("name", "state", "pid", "where")


def table(rows: Iterable[Row]) -> str:
    """One line for each row, with aligned columns: name, state, pid, URL."""
    lines = [HEAD, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(
        f"  {name:<{widths[0]}}  {state:<{widths[1]}}  {pid:>{widths[2]}}  {where}"
        for name, state, pid, where in lines
    )


def next_steps(site: str, login: str, command: str) -> str:
    """The lines below the table: where to look, and which command to try.

    `login` is empty where no demo user was made.
    """
    lines = ["", f"  Log in as {login} (admin, Flower)"] if login else [""]
    return "\n".join([*lines, f"  Open {site}", f"  Next: `{command}`", ""])
