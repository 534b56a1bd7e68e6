"""Whoever is woken finds the section."""

import re

from dutiful import env
from dutiful.monitoring.alerts.catalogue import RULES


def test_every_alert_has_its_section_in_the_runbook_and_none_is_left_over() -> None:
    page = (env.ROOT / "docs" / "runbook.md").read_text()
    _, _, alerts = page.partition("\n# Alerts\n")
    sections = re.findall(r"^## (.+)$", alerts, re.MULTILINE)
    # GitHub's anchor of a heading of lower-case letters and hyphens is the heading.
    assert sorted(sections) == sorted(rule.id for rule in RULES)
    assert all(re.fullmatch(r"[a-z-]+", section) for section in sections)
    for body in re.split(r"^## .+$", alerts, flags=re.MULTILINE)[1:]:
        assert len(body.strip()) > 100, body
