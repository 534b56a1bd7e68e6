"""Formats durations, shares and sizes for people."""

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def span(seconds: float) -> str:
    """`45 s`, `5 min`, `1 h 30 min`."""
    if seconds < 60:
        return (
            f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"
        )
    left, parts = round(seconds), []
    for size, name in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    if left and seconds < 600:
        parts.append(f"{left} s")
    return " ".join(parts[:2])


def percent(share: float) -> str:
    return f"{100 * min(share, 1):.3g} %"


def mebibytes(size: float) -> str:
    return f"{size / 2**20:.0f} MiB"
