"""Renders the sections of the page; a poll gets only those that changed."""

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
"""Titles by name, in the order of the page. Each section has a template of its own."""


@dataclass(frozen=True)
class Section:
    name: str
    title: str
    body: str
    """HTML."""

    @property
    def have(self) -> str:
        """The name and a hash of the text, which the browser sends back with its next poll."""
        return f"{self.name}-{hashlib.blake2s(self.body.encode(), digest_size=6).hexdigest()}"


def context(data: PageData, staff: bool) -> dict[str, Any]:
    """The context of the sections' templates."""
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
    """The sentence that screen readers read aloud when it changes."""
    return Section("said", "", shown["verdict"].state.text)


def sections(shown: dict[str, Any], have: Collection[str] = ()) -> list[Section]:
    """The sections that the browser does not have yet."""
    made = [
        Section(name, title, render_to_string(f"dutiful/monitoring/status/{name}.html", shown))
        for name, title in TITLES.items()
    ]
    return [section for section in made if section.have not in have]
