"""The page's sections, rendered; a poll sends only those that changed."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from dutiful.monitoring.status import (
    failures,
    queues,
    schedule,
    servers,
    tasks,
    todo,
    verdict,
    workers,
)
from dutiful.monitoring.status.page_data import PageData

TITLES = {
    "verdict": "",
    "todo": "What to do",
    "queues": "Queues",
    "workers": "Workers",
    "failures": "What failed",
    "tasks": "Where the time goes",
    "schedule": "Schedule",
    "servers": "Broker and database",
}
"""By name, in the order of the page. Each has a template of its own."""


@dataclass(frozen=True)
class Section:
    name: str
    title: str
    body: str
    """HTML."""

    @property
    def have(self) -> str:
        """What the browser sends back to say that it shows this."""
        return f"{self.name}-{hashlib.blake2s(self.body.encode(), digest_size=6).hexdigest()}"


def context(data: PageData, staff: bool) -> dict[str, Any]:
    """Everything that the sections' templates show."""
    rows = queues.rows(data)
    to_do = todo.of(data)
    return {
        "staff": staff,
        "queues": rows,
        "todo": to_do,
        "verdict": verdict.of(data, rows, to_do),
        "workers": workers.of(data),
        "tasks": tasks.of(data),
        "schedule": schedule.of(data),
        "failures": failures.of(data),
        "servers": servers.of(data),
    }


def sentence(shown: dict[str, Any]) -> Section:
    """What is read aloud, when it changes and only then."""
    return Section("said", "", shown["verdict"].state.text)


def sections(shown: dict[str, Any], have: Collection[str] = ()) -> list[Section]:
    """Those that the browser does not have yet."""
    made = [
        Section(name, title, render_to_string(f"dutiful/monitoring/status/{name}.html", shown))
        for name, title in TITLES.items()
    ]
    return [section for section in made if section.have not in have]
