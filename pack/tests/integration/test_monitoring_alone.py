"""Monitoring without the other pieces, and they without it: each is one line, and may be gone."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker
from tests.support.monitoring_process import process

pytestmark = pytest.mark.timeout(240)
PIECES = (
    "dutiful.beat,django_celery_beat",
    "dutiful.outbox",
    "dutiful.deadletters",
    "dutiful.replicas",
    "dutiful.idempotency",
    "dutiful.lint,dutiful.controls,dutiful.dev",
    "django_htmx",
)


@pytest.mark.parametrize("pieces", PIECES)
def test_it_works_without(pieces: str, tmp_path: Path, server: EmbeddedBroker) -> None:
    def run(gone: str) -> None:
        settings = "tests.support.without"
        found = process(tmp_path / gone, server, settings, WITHOUT=pieces, GONE=gone)
        assert found["errors"] == []
        pages = found["pages"]
        assert {path: code for path, (code, _) in pages.items()} == dict.fromkeys(pages, 200)
        assert "queue-late:urgent_fast" in found["rules"]
        beat = "dutiful.beat" not in pieces
        assert ("beat-silent" in found["rules"]) == beat
        assert ("\ncelery_beat_up " in pages["/metrics"][1]) == beat
        assert ("Beat is not installed" in pages["/status/"][1]) != beat

    with ThreadPoolExecutor() as pool:
        list(pool.map(run, "01"))


def test_a_host_project_needs_none_of_the_templates_settings(
    tmp_path: Path, server: EmbeddedBroker
) -> None:
    found = process(tmp_path, server, "tests.support.bare_host")
    assert found["errors"] == []
    pages = found["pages"]
    assert {path: code for path, (code, _) in pages.items()} == dict.fromkeys(pages, 200)
    assert '<meta http-equiv="refresh" content="5">' in pages["/status/"][1]  # without htmx


def test_all_else_works_without_monitoring(tmp_path: Path, server: EmbeddedBroker) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.support.without",
        "BROKER_URL": server.url,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "WITHOUT": "dutiful.monitoring",
        "GONE": "1",
    }

    def manage(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=env.ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    for words in (("check", "--fail-level", "ERROR"), ("migrate",)):
        ended = manage(*words)
        assert ended.returncode == 0, ended.stderr
    assert "findings" in json.loads(manage("doctor", "--json").stdout)
    page = """
from django.test import Client
print(Client().get("/admin/login/", headers={"host": "localhost"}).status_code)
"""
    assert manage("shell", "-c", page).stdout.endswith("200\n")
