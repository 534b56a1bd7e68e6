"""Procfile, compose file and README say what the catalogue and the profiles say."""

import re
from typing import Any

import yaml
from honcho.environ import parse_procfile

from project import env
from tasks.queues import CATALOGUE
from workers.profiles import MB, PRESETS

PROFILES = PRESETS["standard"]


def read(name: str) -> str:
    return (env.ROOT / name).read_text()


def procfile() -> dict[str, str]:
    return dict(parse_procfile(read("Procfile")).processes)


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(read("docker/compose.yaml"))["services"]
    return found


def test_the_procfile_has_one_worker_line_for_each_profile() -> None:
    workers = {name: line for name, line in procfile().items() if name.startswith("worker")}
    assert workers == {
        f"worker_{profile.name}": f"celery -A project worker --profile {profile.name}"
        for profile in PROFILES
    }
    assert {"release", "web", "beat", "flower"} <= set(procfile())


def test_compose_runs_the_procfiles_commands() -> None:
    for name, line in procfile().items():
        said = services()[name]["command"].removeprefix('sh -c "').removesuffix('"')
        # Flower listens on its container's address; who reaches it is the port's business.
        assert said == line.removesuffix(" --address=127.0.0.1"), name


def test_compose_limits_are_the_profiles() -> None:
    units = {"m": MB, "g": 1024 * MB}
    for profile in PROFILES:
        limit = services()[f"worker_{profile.name}"]["mem_limit"]
        assert int(limit[:-1]) * units[limit[-1]] == profile.memory


def test_compose_publishes_on_loopback_only() -> None:
    for service in services().values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_readmes_tables_are_the_catalogue_and_the_profiles() -> None:
    readme = read("README.md")
    for queue in CATALOGUE:
        served = ", ".join(p.name for p in PROFILES if queue.name in p.queue_names)
        row = f"| `{queue.name}` | {queue.starts_within} s | {queue.runs_within} s | {served} |"
        assert row in readme
    for profile in PROFILES:
        memory = profile.memory // MB
        assert f"| {profile.name} | {profile.pool} | {profile.slots} | {memory} MB |" in readme


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    readme = read("README.md")
    assert len(readme.splitlines()) <= 150
    for target in re.findall(r"\]\((?!http)([^)#]+)", readme):
        assert (env.ROOT / target).exists(), target
    for place in re.findall(r"`((?:\w+/)+[\w.]*)`", readme):
        assert (env.ROOT / place).exists() or place.startswith("shop/"), place


def test_celerys_settings_stay_small_and_help_too() -> None:
    assert len(read("project/settings/celery.py").splitlines()) <= 60
    assert sum("## " in line for line in read("Makefile").splitlines()) <= 12
