"""Gathers what this deployment is set to, from the settings, the tasks and the platform's files."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from celery import Celery

from dutiful import env
from dutiful.conf import conf, queues
from dutiful.transport import brokers
from dutiful.worker.deployment import procfile, resources
from dutiful.worker.deployment.model import Deployment

HEROKU_GRACE: Final = 30.0
"""Seconds between SIGTERM and SIGKILL (devcenter.heroku.com, "Dyno shutdown behavior")."""
COMPOSE_GRACE: Final = 10.0
"""Docker's default, where a compose file sets none."""
COMPOSE_FILE: Final = Path("docker", "compose.yaml")
STOCK_VISIBILITY: Final = 3600.0
"""kombu's default of visibility_timeout, in seconds."""
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def gather(app: Celery, scale: Mapping[str, int] | None = None) -> Deployment:
    """Returns all of it. `scale` gives how many of each process run, as `{"web": 2}`.

    Raises ProfileError where a worker of the Procfile has no profile.
    """
    app.loader.import_default_modules()
    tasks = [task for task in app.tasks.values() if not task.name.startswith("celery.")]
    limits = {queue.name: float(queue.time_limit) for queue in queues.catalogue()}
    limits |= {str(task.name): float(task.time_limit or 0) for task in tasks}
    longest = max(limits, key=lambda name: limits[name])
    redis = is_redis(app)
    return Deployment(
        longest_run=limits[longest],
        longest_run_of=longest,
        longest_delay=max((longest_delay(task) for task in tasks), default=0.0),
        visibility_timeout=visibility_timeout(app) if redis else None,
        lease=lease(app) if redis else None,
        grace=float(conf().grace_seconds),
        platforms=platforms(env.ROOT),
        processes=resources.processes(
            procfile_entries(scale),
            publishers=app.conf.broker_pool_limit or 0,
            keeps_results=keeps_results(app),
        ),
    )


def procfile_entries(
    scale: Mapping[str, int] | None = None,
) -> tuple[procfile.ProcfileEntry, ...]:
    """Returns the entries of this deployment's Procfile. `scale` is as in `gather`."""
    return procfile.read(env.ROOT, profiles=conf().shapes, heroku=env.on_heroku(), scale=scale)


def keeps_results(app: Celery) -> bool:
    """Whether workers write results to the broker itself. Call it once tasks are imported."""
    mine = [task for task in app.tasks.values() if not task.name.startswith("celery.")]
    stored = any(not task.ignore_result for task in mine)
    return bool(app.conf.result_backend == app.conf.broker_url and stored)


def is_redis(app: Celery) -> bool:
    """Whether the broker is a Redis, by its URL."""
    return urlsplit(str(app.conf.broker_url)).scheme in env.BROKER_SCHEMES[:3]


def visibility_timeout(app: Celery) -> float:
    """Returns stock kombu's visibility timeout of this app, in seconds."""
    return float(app.conf.broker_transport_options.get("visibility_timeout", STOCK_VISIBILITY))


def longest_delay(task: Any) -> float:
    """Returns the longest pause before a task's last retry, in seconds; 0 if it is not retried."""
    try:
        policy = getattr(task, "policy", None)
    except queues.NotInCatalogue:
        return 0.0  # such a task is not run; `manage.py check` names it
    return float(policy.ceiling(policy.times - 1)) if policy and policy.times else 0.0


def lease(app: Celery) -> float | None:
    """Returns lease_seconds of our transport; None on kombu's own."""
    broker = brokers.of(app.connection_for_write())
    return broker.lease_seconds(app.conf.broker_transport_options)


def platforms(root: Path) -> dict[str, float]:
    """Returns, by platform, the seconds between its SIGTERM and its SIGKILL."""
    found = {"Heroku": HEROKU_GRACE}
    file = root / COMPOSE_FILE
    if file.is_file():  # an image has no compose file
        named = re.findall(r"^\s*stop_grace_period:\s*(\S+)", file.read_text(), re.MULTILINE)
        found[str(COMPOSE_FILE)] = min(map(seconds, named), default=COMPOSE_GRACE)
    return found


def seconds(duration: str) -> float:
    """Returns a compose file's duration (`30s`, `1m30s`) in seconds."""
    return sum(
        float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|h|m|s)", duration)
    )
