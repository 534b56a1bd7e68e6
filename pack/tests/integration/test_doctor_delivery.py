"""The doctor and settings that do not fit each other: no server is needed for these."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from dutiful.doctor import examine
from dutiful.drills.host.celery import app
from dutiful.worker.deployment import configured
from tests.support.doctor import HEALTHY
from tests.template import ROOT


def wrong(**changed: Any) -> set[str]:
    found = examine.settings(replace(HEALTHY, **changed))
    return {finding.kind.id.removeprefix("doctor.") for finding in found}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, set()),
        ({"longest_run": 3600, "lease": None}, {"E011"}),
        ({"longest_run": 3599, "lease": None}, set()),
        ({"longest_run": 3600}, {"W011"}),
        ({"longest_delay": 3600, "lease": None}, {"E012"}),
        ({"longest_delay": 3600}, set()),  # delays lie in Redis
        ({"lease": 4}, {"W012"}),
        ({"lease": 5}, set()),
        ({"lease": 60}, {"W013"}),
        ({"grace": 29}, {"E013"}),
        ({"grace": 28}, set()),
        ({"platforms": {"Heroku": 30, "docker/compose.yaml": 10}}, {"E013", "W013"}),
        ({"visibility_timeout": None, "lease": None, "longest_run": 9999}, set()),  # RabbitMQ
    ],
)
def test_settings_against_each_other(changed: dict[str, Any], expected: set[str]) -> None:
    assert wrong(**changed) == expected


def test_the_projects_own_settings_fit() -> None:
    assert examine.settings(configured.gather(app)) == []


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("30s", 30), ("1m30s", 90), ("1h", 3600), ("1500ms", 1.5)],
)
def test_durations_of_compose(said: str, seconds: float) -> None:
    assert configured.seconds(said) == seconds


def test_the_shortest_grace_of_the_compose_file_counts(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    file = tmp_path / configured.COMPOSE_FILE

    def told(text: str) -> Mapping[str, float]:
        file.write_text(text)
        return configured.platforms(tmp_path)

    assert told("a:\n  stop_grace_period: 30s\nb:\n  stop_grace_period: 1m\n") == {
        "Heroku": 30,
        "docker/compose.yaml": 30,
    }
    assert told("services: {}\n")["docker/compose.yaml"] == 10  # Docker's own
    file.unlink()
    assert configured.platforms(tmp_path) == {"Heroku": 30}  # as in the image


def test_every_worker_of_the_compose_file_names_its_grace() -> None:
    """The doctor reads the file without a parser of YAML, so it would not see one that does not."""
    services = yaml.safe_load((ROOT / configured.COMPOSE_FILE).read_text())["services"]
    for name, service in services.items():
        if name.startswith("worker"):
            assert configured.seconds(service["stop_grace_period"]) == 30
