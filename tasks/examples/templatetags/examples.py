"""Figures as people read them."""

from math import ceil

from django import template
from django.http import HttpRequest

from dutiful.conf import conf
from tasks.examples.mailbox.messages import open_to

register = template.Library()


@register.simple_tag
def flower_url() -> str:
    return str(conf().flower_url)


@register.filter
def may_read_mailbox(request: HttpRequest) -> bool:
    return open_to(request)


@register.filter
def seconds(value: float | None) -> str:
    """0.034 → "0.03 s", 4.21 → "4.2 s", 75 → "1 min 15 s"; None → an en dash."""
    if value is None:
        return "–"  # noqa: RUF001  # an en dash is meant
    if value < 1:
        return f"{value:.2f} s"
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60)} s"


@register.filter
def duration(value: int) -> str:
    """A promise in whole units: 5 → "5 s", 300 → "5 min", 3600 → "1 h"."""
    if value % 3600 == 0:
        return f"{value // 3600} h"
    return f"{value // 60} min" if value % 60 == 0 else f"{value} s"


@register.filter
def about(value: float) -> str:
    """A long time, rounded up: 152 → "3 min", 9000 → "3 h"."""
    return duration(60 * ceil(value / 60) if value < 7200 else 3600 * ceil(value / 3600))


@register.filter
def thousands(value: int) -> str:
    """200000 → "200,000"."""
    return f"{value:,}"
