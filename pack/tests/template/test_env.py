"""Wrong environments are refused before anything runs, in one line that says what to do."""

import os
import subprocess
import sys

import pytest

from dutiful import env
from tests.template import ROOT

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "".join(map(chr, range(48, 112))),
    "ALLOWED_HOSTS": "example.com",
    "SITE_URL": "https://example.com",
    "BROKER_URL": "redis://127.0.0.1:1/0",
    "FLOWER_BASIC_AUTH": "ops:a-long-password",
    "DEBUG": "0",
}


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """manage.py in a clean environment: what a shell that sets only these would do."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**keep, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"ENVIRONMENT": "prod"}, "ENVIRONMENT='prod' is not one of development, production, test"),
        ({"DEBUG": "maybe"}, "DEBUG='maybe' is neither true nor false; write 1 or 0"),
        ({"BROKER_URL": "kafka://x"}, "BROKER_URL=(hidden) is not a URL that begins with redis://"),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL=(hidden) is not a URL"),
        ({"WORKER_PRESET": "huge"}, "WORKER_PRESET='huge' is not one of standard, small"),
        (
            {"ERROR_TRACKER": "no.such"},
            "ERROR_TRACKER='no.such' cannot be imported: No module named",
        ),
        ({**PRODUCTION, "SECRET_KEY": ""}, "SECRET_KEY is not set. Production needs one"),
        ({**PRODUCTION, "DEBUG": "1"}, "DEBUG=1 shows your settings to strangers"),
        ({**PRODUCTION, "ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is not set"),
        ({**PRODUCTION, "BROKER_URL": ""}, "BROKER_URL (or REDIS_URL) is not set"),
        ({**PRODUCTION, "DYNO": "web.1"}, "S3_BUCKET is not set. On Heroku each dyno has its own"),
    ],
)
def test_a_wrong_environment_is_one_clear_line(environment: dict[str, str], line: str) -> None:
    ended = manage("check", **environment)
    assert ended.returncode != 0
    assert line in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_dyno_is_production_by_itself() -> None:
    assert "SECRET_KEY is not set" in manage("check", DYNO="web.1").stderr


def test_a_hidden_value_stays_hidden() -> None:
    ended = manage("check", BROKER_URL="kafka://user:hunter2@host")
    assert "hunter2" not in ended.stderr + ended.stdout


def test_check_deploy_is_clean_in_production() -> None:
    ended = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert ended.returncode == 0, ended.stderr
    assert "no issues" in ended.stdout + ended.stderr


def test_the_example_file_names_only_what_is_read() -> None:
    names = {variable.name for variable in env.VARIABLES}
    for line in (ROOT / ".env.example").read_text().splitlines():
        assert not line[:1].isupper(), "a copy changes nothing by itself"
        name = line.lstrip("# ").partition("=")[0]
        if "=" in line and name.isupper():
            assert name in names or name.startswith("AWS_"), name
