"""`celery -A project worker`: its options come from the profile that `-Q` or `--profile` selects.

They are set here and not in a signal, since Celery has read pool and prefetch before
`celeryd_init`.
"""

from typing import Any

import click
from celery.utils.nodenames import default_nodename, host_format
from click.core import ParameterSource

from dutiful.catalogue import profiles
from dutiful.catalogue.profiles import Profile, ProfileError
from dutiful.conf import conf
from dutiful.database import connections
from dutiful.task.start import refuse_on_errors
from dutiful.worker.draining_worker import DrainingWorker
from dutiful.worker.thread_safety import unsafe
from dutiful.worker.threads.pool import TaskPool, instead_of


class Worker(DrainingWorker):
    """Celery's worker with the options of a profile. Flags of the command line override them."""

    profile: Profile

    def __init__(self, app: Any = None, hostname: str | None = None, **options: Any) -> None:
        try:
            self.profile = choose(options.pop("profile", None), options.get("queues"))
        except ProfileError as error:
            raise click.UsageError(str(error)) from None
        refuse_on_errors(f"worker {self.profile.name}")
        if not _given("hostname", hostname):
            hostname = host_format(default_nodename(f"{self.profile.name}@%h"))
        for option, value in profile_options(self.profile, options.get("queues")).items():
            if option == "queues" or not _given(option, options.get(option)):
                options[option] = value
        options["pool"] = instead_of(options.get("pool"))
        app = app or self.app
        if options["pool"] is TaskPool and (names := unsafe(app, options["queues"])):
            raise click.UsageError(
                f"{', '.join(names)}: thread_safe=False, and this worker has threads. Serve"
                f" {', '.join(options['queues'])} with -P prefork."
            )
        if options["pool"] is TaskPool:
            connections.share(
                profiles.shared_connections(options["concurrency"] or self.profile.slots)
            )
        app.conf.broker_transport_options = {
            **app.conf.broker_transport_options,
            "queue_shares": {served.queue: served.share for served in self.profile.queues},
            "isolated_runs": True,
            "worker_name": hostname,
        }
        super().__init__(app=app, hostname=hostname, **options)


def choose(name: str | None, queues: list[str] | None) -> Profile:
    """Returns the profile of that name, else the first that serves all queues.

    Raises ProfileError where there is none, or where neither a name nor queues are given.
    """
    known = conf().shapes
    if name is None and not queues:
        flags = ", ".join(f"--profile {each.name}" for each in known)
        raise ProfileError(
            f"say what this worker serves: {flags}, or -Q with queues."
            " One worker for everything would let slow work hold up urgent work."
        )
    profile = profiles.named(name, known) if name else profiles.serving(queues or [], known)
    if name and queues and not set(queues) <= set(profile.queue_names):
        not_served = ", ".join(queue for queue in queues if queue not in profile.queue_names)
        raise ProfileError(
            f"profile {name} does not serve {not_served};"
            f" it serves {', '.join(profile.queue_names)}."
        )
    return profile


def profile_options(profile: Profile, queues: list[str] | None) -> dict[str, Any]:
    """Returns the options that a profile sets, by Celery's names for them."""
    options: dict[str, Any] = {
        "pool": profile.pool,
        "concurrency": profile.slots,
        "queues": profiles.in_order(profile, list(queues or profile.queue_names)),
    }
    if profile.pool == "prefork":
        options["max_memory_per_child"] = profile.memory_per_child // 1024  # KiB
        options["max_tasks_per_child"] = profile.tasks_per_child
    return options


def _given(option: str, value: Any) -> bool:
    """Whether a flag was given: the value of an explicit `-P prefork` is also the default."""
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source(option) if context else None
    if source is None:
        return value is not None
    return source is not ParameterSource.DEFAULT
