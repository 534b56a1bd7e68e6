"""README says what the catalogue and the profiles say, is short, and leads somewhere."""

import re
import sys
from pathlib import Path

from dutiful.catalogue.profiles import MB
from tests.template import ROOT
from tests.template.clones import tried

TABLES = f"""
from dutiful.conf import conf
for queue in conf().queues:
    served = ", ".join(p.name for p in conf().shapes if queue.name in p.queue_names)
    times = f"{{queue.starts_within}} s | {{queue.runs_within}} s"
    print(f"| `{{queue.name}}` | {{times}} | {{served}} |")
for profile in conf().shapes:
    memory = f"{{profile.memory // {MB}}} MB"
    print(f"| {{profile.name}} | {{profile.pool}} | {{profile.slots}} | {{memory}} |")
"""
NOT_HERE = ("billing/", "tasks/tasks.py", "wheels/")
"""Paths that README's commands would make."""


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_its_tables_are_the_catalogue_and_the_profiles() -> None:
    ran = tried([sys.executable, "manage.py", "shell", "-v0", "-c", TABLES], ROOT)
    rows = [line for line in ran.stdout.splitlines() if line.startswith("|")]
    assert len(rows) >= 8, ran.stderr
    for row in rows:
        assert row in read("README.md")


def test_it_is_short_and_its_links_lead_somewhere() -> None:
    readme = read("README.md")
    assert len(readme.splitlines()) <= 150
    for target in re.findall(r"\]\((?!http)([^)#]+)", readme):
        assert (ROOT / target).exists(), target
    for place in re.findall(r"`((?:\w+/)+[\w.]*)`", readme):
        there = (ROOT / place).exists() or (ROOT / "pack/src" / place).exists()
        assert there or place.startswith(NOT_HERE), place


def test_make_help_has_twelve_lines_at_most() -> None:
    assert len(re.findall(r"^[a-z]+:.*## ", read("Makefile"), re.MULTILINE)) <= 12


def test_the_parts_of_the_template_stay_small() -> None:
    """Lines of Python; what an owner reads before the first change."""

    def lines(folder: str, besides: str = "") -> int:
        files = [file for file in (ROOT / folder).rglob("*.py") if "__pycache__" not in file.parts]
        leave = ROOT / folder / besides if besides else Path("/none")
        return sum(
            len(file.read_text().splitlines()) for file in files if not file.is_relative_to(leave)
        )

    assert lines("project") <= 350
    assert lines("tasks", "examples") <= 60
    assert lines("workers") <= 50
    assert lines("beat") <= 70
    assert lines("tests") <= 600
