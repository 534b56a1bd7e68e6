"""Formats figures for the page; a dash means "not known"."""

from dataclasses import dataclass

from dutiful.monitoring.alerts.formatting import span

UNKNOWN = "\N{EN DASH}"


@dataclass(frozen=True)
class State:
    """A text, and a `mark` (ok, warn, bad, none) that the page shows as a sign and a colour."""

    mark: str
    text: str


def count(number: int | None) -> str:
    """12,300; a dash where it is not known."""
    return UNKNOWN if number is None else f"{number:,}"


def plural(number: int, one: str, many: str = "") -> str:
    """1 worker, 2 workers."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def seconds(value: float | None) -> str:
    """0.4 ms, 34 ms, 4.2 s, 5 min."""
    if value is None:
        return UNKNOWN
    if 0 < value < 0.0001:
        return "under 0.1 ms"
    if 0 < value < 0.01:
        return f"{value * 1000:.1f} ms"
    return f"{value * 1000:.0f} ms" if 0 < value < 1 else span(value)


def rate(value: float | None) -> str:
    """0.25/s, 12/s, 1.2k/s."""
    if value is None:
        return UNKNOWN
    if value >= 1000:
        return f"{value / 1000:.1f}k/s"
    return (
        f"{value:.0f}/s"
        if value >= 10 or not value
        else f"{value:.2g}/s"
        if value >= 1
        else f"{value:.2f}/s"
    )


def burn(rate: float) -> str:
    """0.43x, 14x, 100x; with the sign of multiplication."""
    return (f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}") + "\N{MULTIPLICATION SIGN}"


def size(value: int | None) -> str:
    """MiB, or GiB from ten of them on."""
    if value is None:
        return UNKNOWN
    return f"{value / 2**30:.1f} GiB" if value >= 10 * 2**30 else f"{value / 2**20:,.0f} MiB"


def ago(then: float | None, now: float) -> str:
    """3 s ago, 2 min ago; in 40 s. It shows the largest unit only."""
    if then is None:
        return UNKNOWN
    return f"{brief(now - then)} ago" if then <= now else f"in {brief(then - now)}"


def brief(seconds: float) -> str:
    """52 s, 2 min, 10 h."""
    words = span(round(abs(seconds))).split()
    return " ".join(words[:2])
