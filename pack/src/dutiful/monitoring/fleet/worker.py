"""The part of a worker: it counts its runs, and puts facts about itself into its lease."""

import time
from typing import Any

from celery import signals
from celery.concurrency.prefork import TaskPool as PreforkPool
from celery.worker import state

from dutiful import env as project_env
from dutiful.monitoring import env
from dutiful.monitoring.fleet import store
from dutiful.monitoring.fleet.pipe import Pipe
from dutiful.monitoring.fleet.reporter import Reporter
from dutiful.monitoring.link import LOST, Link, shared_url
from dutiful.transport.redis.owner import Owner, owners
from dutiful.worker.drain import current as drain
from dutiful.worker.memory import usage


class WorkerSide:
    """Runs in the main process of one worker."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self._worker: Any = None
        self._since = time.time()
        self._start_reported = False

    def connect(self) -> None:
        """Connects to the worker's signals."""
        signals.worker_init.connect(self._before_the_pool, weak=False)
        signals.worker_ready.connect(self._ready, weak=False)
        signals.worker_shutdown.connect(self._ends, weak=False)

    def _before_the_pool(self, sender: Any, **_: Any) -> None:
        pool = sender.pool_cls
        if isinstance(pool, type) and issubclass(pool, PreforkPool):
            self.reporter.pipe = Pipe()  # before it forks

    def _ready(self, sender: Any, **_: Any) -> None:
        """Celery sends this again after each reconnect."""
        if self._worker is None:
            self._worker = sender.controller
            self.reporter.every_half_second.append(self._note)
            self.reporter.start()
            if env.METRICS_LISTEN.get():
                from dutiful.monitoring.metrics import (
                    worker,  # late: prometheus-client takes memory
                )

                worker.serve(self.reporter, self._worker, env.METRICS_LISTEN.get())

    def _ends(self, **_: Any) -> None:
        self.reporter.end()

    def _note(self) -> None:
        found = owners()
        for owner in found:
            owner.note(**self.facts(owner))
        if found and not self._start_reported:
            self._report_start()

    def facts(self, owner: Owner) -> dict[str, Any]:
        """Small facts that are sent with the next refresh of the lease."""
        worker = self._worker
        profile = getattr(worker, "profile", None)
        consumed = {queue for each in list(owner.channels) for queue in each.active_queues}
        return {
            "profile": profile.name if profile else "",
            "pool": profile.pool if profile else "",
            "slots": getattr(worker.pool, "num_processes", None) or worker.concurrency,
            "busy": len(state.active_requests),
            "queues": {queue: held for queue, held in owner.counts.items() if held},
            "consumes": sorted(consumed),
            "memory_limit": usage.allowed(profile.memory) if profile else None,
            "since": self._since,
            "draining": drain.begun(),
        }

    def _report_start(self) -> None:
        self._start_reported = True
        profile = getattr(self._worker, "profile", None)
        link = Link(shared_url())
        name = self._worker.hostname
        try:
            store.started(
                link.client,
                link.prefix,
                profile.name if profile else "",
                name,
                str(self._since),
                project_env.RELEASE.get(),
            )
        except LOST:
            self._start_reported = False  # tried again in half a second
        finally:
            link.close()
