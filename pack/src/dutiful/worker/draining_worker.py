"""Celery's worker with a stop that ends in time and a record for the probe."""

from typing import Any

from celery.apps.worker import Worker as CeleryWorker
from celery.concurrency import get_implementation
from celery.signals import worker_shutdown

from dutiful.conf import conf
from dutiful.worker.drain import current as current_drain
from dutiful.worker.drain.event_loop import EventLoop
from dutiful.worker.drain.steps import Drain
from dutiful.worker.prefork import pool
from dutiful.worker.probe.recorder import ProbeRecorder
from dutiful.worker.quarantine import runner


class DrainingWorker(CeleryWorker):
    """Connects Celery's worker to its drain (`dutiful.worker.drain`) and to the probe's record."""

    # Celery's own, which its stubs leave out.
    consumer: Any = None
    pool_cls: Any
    _persistence: Any = None

    def __init__(self, *args: Any, **options: Any) -> None:
        self.drain = Drain(self, conf().grace_seconds)
        self.probe_recorder = ProbeRecorder(self)
        super().__init__(*args, **options)

    def setup_instance(self, *args: Any, **options: Any) -> None:
        self.pool_cls = pool.instead_of(get_implementation(self.pool_cls))
        super().setup_instance(*args, **options)

    def install_platform_tweaks(self, worker: Any) -> None:
        super().install_platform_tweaks(worker)
        current_drain.install(self.drain)
        self.probe_recorder.begin()

    def startup_info(self, artlines: bool = True) -> str:
        """The banner. Celery names a pool by its module, which is called `pool` in our packages."""
        name = self.pool_cls.__module__.removesuffix(".pool").rpartition(".")[2]
        return str(super().startup_info(artlines)).replace(" (pool)\n", f" ({name})\n")

    def _process_task(self, req: Any) -> None:
        if self.drain.starts(req):
            super()._process_task(req)  # type: ignore[misc]

    def end_isolated_run(self) -> None:
        """Kills the child that runs a suspect, and puts its message back uncounted."""
        runner.stop()

    def announce_end(self, loop: EventLoop, seconds: float) -> None:
        """Sends the signal and the event that Celery sends at its stop, in Celery's own thread."""
        loop.call(self._announce_end, seconds)

    def _announce_end(self) -> None:
        worker_shutdown.send(sender=self)
        if heart := getattr(self.consumer, "heart", None):
            heart.stop()

    def tidy(self) -> None:
        """Removes and saves what Celery does in an `atexit`, which `os._exit` leaves out."""
        self.probe_recorder.end()
        if self.pidlock:
            self.pidlock.release()
        if self._persistence:
            self._persistence.save()

    def stop(self, in_sighandler: bool = False, exitcode: int | None = None) -> None:
        """Celery's own end, on an error that it cannot go on from. No signal leads here."""
        self.drain.set_deadline()
        super().stop(in_sighandler, exitcode)

    def terminate(self, in_sighandler: bool = False) -> None:
        self.drain.set_deadline()
        super().terminate(in_sighandler)

    def on_stopped(self) -> None:
        self.probe_recorder.end()
        super().on_stopped()
