"""The press itself: tasks are sent, a worker takes them, and is killed."""

import os
import signal
import time
from typing import Final

from django.utils import timezone
from kombu.exceptions import OperationalError

from dutiful.transport.redis import host
from tasks.examples.kill.leases import Lease, Leases, leases
from tasks.examples.kill.models import Kill
from tasks.examples.kill.tasks import interrupted
from tasks.examples.runs.models import Run

TASKS: Final = 5
TAKEN_WITHIN: Final = 4.0
"""Seconds. Less than the tasks run, so that all of them are at work when it comes."""
LOOK_EVERY: Final = 0.1


class Refused(Exception):
    """Nobody was killed; the message says why and what to do."""


def press() -> Kill:
    """Sends the tasks and kills the worker that holds most of them.

    Raises Refused, or OperationalError when the broker does not answer; then nothing is left.
    """
    kill = Kill.objects.create()
    try:
        sent = {interrupted.delay(str(kill.pk), number + 1).id for number in range(TASKS)}
        with leases() as found:
            victim, holds = _wait_for_holder(found, sent)
        at_work = Run.objects.filter(pk__in=holds, state=Run.State.RUNNING)
        kill.held = list(at_work.order_by("started_at").values_list("pk", flat=True))
        kill.owner, kill.worker, kill.pid = victim.owner, victim.worker, victim.pid
        kill.save()
        kill_9(victim)
        kill.killed_at = timezone.now()
        kill.save()
    except (Refused, OperationalError):
        Run.objects.filter(subject=str(kill.pk)).delete()
        kill.delete()  # the tasks see it, and do nothing
        raise
    return kill


def _wait_for_holder(found: Leases, sent: set[str]) -> tuple[Lease, set[str]]:
    """The worker of this host that holds most of these, and all that it holds."""
    deadline = time.monotonic() + TAKEN_WITHIN
    while True:
        late = time.monotonic() > deadline
        if late or Run.objects.filter(pk__in=sent, state=Run.State.RUNNING).count() == len(sent):
            here = [lease for lease in found.all() if lease.alive_here]
            held = {lease.owner: found.task_ids(lease.owner) for lease in here}
            here.sort(key=lambda lease: len(held[lease.owner] & sent))
            if here and held[here[-1].owner] & sent:
                return here[-1], held[here[-1].owner]
        if late:
            raise Refused(
                f"No worker of this machine took the tasks within {TAKEN_WITHIN:g} s. Does one run"
                " that serves their queue? `make up` starts it."
            )
        time.sleep(LOOK_EVERY)


def kill_9(victim: Lease) -> None:
    """SIGKILL to a worker's process. Raises Refused where it is not surely that process.

    By a descriptor of the process: a pid that is given to another meanwhile is not hit.
    """
    if victim.host != host.here():
        raise Refused(f"{victim.worker} runs on another machine; only one of this one is killed.")
    if victim.pid <= 1 or victim.pid in (os.getpid(), os.getppid()):
        raise Refused(f"The broker says that {victim.worker} is process {victim.pid}: no worker.")
    try:
        process = os.pidfd_open(victim.pid)
    except OSError as error:
        raise Refused(f"{victim.worker} (pid {victim.pid}) cannot be killed: {error}.") from error
    try:
        if not victim.started or host.started(victim.pid) != victim.started:
            raise Refused(f"Process {victim.pid} is not {victim.worker} any more. Press again.")
        signal.pidfd_send_signal(process, signal.SIGKILL)
    except OSError as error:
        raise Refused(f"{victim.worker} (pid {victim.pid}) cannot be killed: {error}.") from error
    finally:
        os.close(process)
