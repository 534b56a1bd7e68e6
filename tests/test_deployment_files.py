"""Procfile and compose file say what the profiles say, and fit each other."""

import re
from typing import Any

import yaml
from honcho.environ import parse_procfile

from dutiful import env
from dutiful.catalogue.profiles import GRACE, MB
from dutiful.monitoring.budget import plan
from dutiful.monitoring.budget.sums import Budget, Limit, Measured
from workers.profiles import PROFILES

STANDARD = PROFILES["standard"]


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
        for profile in STANDARD
    }
    assert {"release", "web", "beat", "monitor", "flower"} <= set(procfile())


def test_compose_runs_the_procfiles_commands() -> None:
    for name, line in procfile().items():
        said = services()[name]["command"].removeprefix('sh -c "').removesuffix('"')
        # Flower listens on its container's address; who reaches it is the port's business.
        assert said == line.removesuffix(" --address=127.0.0.1"), name


def test_compose_limits_are_the_profiles() -> None:
    units = {"m": MB, "g": 1024 * MB}
    for profile in STANDARD:
        limit = services()[f"worker_{profile.name}"]["mem_limit"]
        assert int(limit[:-1]) * units[limit[-1]] == profile.memory


def test_compose_asks_each_worker_whether_it_is_alive() -> None:
    asked = services()["worker_io"]["healthcheck"]
    assert asked["test"] == ["CMD", "python", "-E", "-m", "dutiful.worker.probe"]
    for profile in STANDARD:
        assert services()[f"worker_{profile.name}"]["healthcheck"] == asked


def test_compose_waits_longer_than_a_worker_needs_to_stop() -> None:
    for profile in STANDARD:
        assert services()[f"worker_{profile.name}"]["stop_grace_period"] == "30s"
    assert GRACE < 30


def test_composes_postgres_has_room_for_a_release() -> None:
    assert "command" not in services()["postgres"]
    default = Limit("max_connections", 100 - 3)  # PostgreSQL's own, less the superuser's
    assert Budget(plan.budget({}, Measured()).parts, (default,)).lacks_in_release == 0


def test_compose_publishes_on_loopback_only() -> None:
    for service in services().values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))


def test_prometheus_and_grafana_are_a_profile_of_compose() -> None:
    """With nothing to configure but a token and a password, which they refuse to go without."""
    with_profile = {name for name, service in services().items() if "profiles" in service}
    assert with_profile == {"prometheus", "grafana"}
    for name, secret in {"prometheus": "METRICS_TOKEN", "grafana": "GRAFANA_PASSWORD"}.items():
        service = services()[name]
        assert f"$${{{secret}:?set it" in service["entrypoint"][-1]
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (env.ROOT / "docker" / source).is_file(), source
    # The rest comes up without either, and web answers to the name that Prometheus calls.
    told = services()["web"]["environment"]
    assert told["METRICS_TOKEN"] == "${METRICS_TOKEN:-}"
    assert told["ALLOWED_HOSTS"].endswith(",web")


def test_prometheus_finds_the_token_the_rules_and_every_target() -> None:
    config = yaml.safe_load(read("docker/prometheus.yml"))
    service = services()["prometheus"]
    fleet, workers = config["scrape_configs"]
    assert f"> {fleet['authorization']['credentials_file']}\n" in service["entrypoint"][-1]
    assert config["rule_files"] == ["alerts.yml"]
    assert "./alerts.yml:/etc/prometheus/alerts.yml:ro" in service["volumes"]
    assert fleet["static_configs"] == [{"targets": ["web:8000"]}]
    assert workers["dns_sd_configs"][0]["names"] == [f"worker_{one.name}" for one in STANDARD]


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    sources = yaml.safe_load(read("docker/grafana/datasources.yml"))["datasources"]
    assert [(one["type"], one["url"]) for one in sources] == [
        ("prometheus", "http://prometheus:9090")
    ]
    (provider,) = yaml.safe_load(read("docker/grafana/dashboards.yml"))["providers"]
    folder = provider["options"]["path"]
    assert f"./dashboard.json:{folder}/deployment.json:ro" in services()["grafana"]["volumes"]


def test_celerys_settings_stay_small_and_help_too() -> None:
    assert len(read("project/settings/celery.py").splitlines()) <= 60
    assert len(re.findall(r"^[a-z]+:.*## ", read("Makefile"), re.MULTILINE)) <= 12  # `make help`
