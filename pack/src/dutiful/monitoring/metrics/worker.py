"""A worker's own metrics on a port of its own, if METRICS_LISTEN is set.

Prefork children report to their parent by a pipe (dutiful/monitoring/fleet/pipe.py), so the figures
are those of the whole worker, without prometheus-client's multiprocess files.
"""

import logging
import time
from collections.abc import Iterator
from typing import Any

from dutiful.monitoring.fleet.reporter import Reporter
from dutiful.monitoring.fleet.store import parse
from dutiful.transport.redis.owner import owners
from dutiful.worker.memory import usage

logger = logging.getLogger(__name__)
START = "celery_process"


class WorkerMetrics:
    """A collector for prometheus-client."""

    def __init__(self, reporter: Reporter, worker: Any, name: str) -> None:
        self._reporter, self._worker, self._name = reporter, worker, name
        self._began = time.time()
        self._numbers: dict[str, float] = {}
        reporter.listeners.append(self._add)

    def _add(self, numbers: dict[str, float]) -> None:
        for field, by in numbers.items():
            self._numbers[field] = self._numbers.get(field, 0) + by

    def collect(self) -> Iterator[Any]:
        """Called at each scrape, in the server's thread."""
        from dutiful.monitoring.metrics.families import gauge, runs

        self._reporter.flush()  # so that runs that have just ended are counted
        fields = {k.encode(): str(v).encode() for k, v in self._numbers.copy().items()}
        yield from runs(parse(fields), START)
        slots = getattr(self._worker.pool, "num_processes", None) or self._worker.concurrency
        found = owners()
        held = sum(owner.size for owner in found)
        yield gauge(f"{START}_slots", "Tasks that it may run at once.", (), [((), slots)])
        yield gauge(f"{START}_held", "Messages claimed and not settled.", (), [((), held)])
        threads = self._worker.pool.info.get("threads")
        yield gauge(f"{START}_pool_threads", "Threads of its pool.", (), [((), threads)])
        yield gauge(
            f"{START}_memory_bytes", "Memory of its main process.", (), [((), usage.used())]
        )
        yield gauge(
            f"{START}_started_seconds",
            "Start of the process in epoch seconds.",
            (),
            [((), self._began)],
        )


def serve(reporter: Reporter, worker: Any, listen: str) -> Any:
    """Serves `/metrics` at "host:port" from daemon threads. None where the port is taken."""
    from prometheus_client import CollectorRegistry, start_http_server

    registry = CollectorRegistry(auto_describe=False)
    registry.register(WorkerMetrics(reporter, worker, str(worker.hostname)))
    host, _, port = listen.rpartition(":")
    try:
        server, _ = start_http_server(int(port), host or "127.0.0.1", registry)
    except OSError as error:
        # With two workers on one machine the second has none; the fleet's metrics have both.
        logger.warning("no metrics of this worker at %s (METRICS_LISTEN): %s", listen, error)
        return None
    return server
