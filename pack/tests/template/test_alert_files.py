"""Prometheus' rules and Grafana's dashboard in the template's docker/ fit what the pack serves."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dutiful.monitoring import metrics
from dutiful.monitoring.alerts.catalogue import BY_ID
from dutiful.monitoring.metrics import rules
from tests.template import ROOT

DOCKER = ROOT / "docker"


def names(text: str) -> set[str]:
    found = set(re.findall(r"\bcelery_[a-z_]+", text))
    return {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in found}


def test_rules_and_dashboard_use_names_that_exist() -> None:
    made = set()
    for file in Path(metrics.__file__).parent.glob("f*.py"):
        text = file.read_text()
        made |= {f"celery{name}" for name in re.findall(r'f"\{(?:START|start)\}(_[a-z_]+)"', text)}
    assert len(made) > 30
    for name in ("alerts.yml", "alerts_test.yml", "dashboard.json"):
        used = names((DOCKER / name).read_text())
        assert used, name
        assert used <= made, name
    json.loads((DOCKER / "dashboard.json").read_text())


def test_the_rules_file_is_what_the_catalogues_make() -> None:
    assert (DOCKER / "alerts.yml").read_text() == rules.render(), (
        "manage.py alert_rules > docker/alerts.yml"
    )
    ids = {each.id for each in rules.expressions()}
    assert ids == set(BY_ID) - rules.NOT_HERE | {rules.SILENT}


@pytest.mark.parametrize(
    "words", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")]
)
def test_promtool(words: tuple[str, ...]) -> None:
    if shutil.which("promtool") is None:
        assert not os.environ.get("CI"), "CI needs promtool: apt-get install prometheus"
        pytest.skip("no promtool (Debian's package prometheus)")
    told = subprocess.run(["promtool", *words], cwd=DOCKER, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr


def test_promtool_reads_the_configuration(tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool (Debian's package prometheus)")
    for name in ("prometheus.yml", "alerts.yml"):
        shutil.copy(DOCKER / name, tmp_path)
    words = ["promtool", "check", "config", "--syntax-only", "prometheus.yml"]
    told = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
