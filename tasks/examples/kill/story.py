"""What the page tells after a kill: four stations, and one line for each task."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from kombu.exceptions import OperationalError

from dutiful.transport.redis import host
from tasks.examples.kill.leases import Leases, leases
from tasks.examples.kill.models import Kill
from tasks.examples.runs.models import Run
from tasks.examples.templatetags.examples import seconds


@dataclass(frozen=True)
class Line:
    name: str
    mark: str = "next"
    """"next", "now", "past" or "bad"; a word of `text` says the same."""
    text: str = "not yet"
    time: str = ""


@dataclass(frozen=True)
class Story:
    phase: str
    """held (by the dead worker), queued, running (again), done."""
    stations: list[Line]
    tasks: list[Line]
    said: str
    """One sentence for a screen reader, when the phase changes."""


IDLE = Story("idle", [Line("Killed"), Line("Noticed"), Line("Taken"), Line("Done")], [], "")


def story(kill: Kill) -> Story:
    """Of a worker that was killed, as it stands now."""
    runs = kill.runs()
    again = [run for run in runs if _ran_again(kill, run)]
    over = [run for run in runs if run.finished]
    countdown = None if again else _countdown(kill)
    if len(over) == len(runs):
        phase = "done"
    elif again:
        phase = "running"
    else:
        phase = "held" if countdown else "queued"
    count = f"{len(kill.held)} task{'s' * (len(kill.held) != 1)}"
    stations = [
        Line("Killed", "past", f"{_short(kill.worker)}, pid {kill.pid}, held {count}"),
        countdown or Line("Noticed", "past", "tasks back in the queue"),
        _taken(kill, again, phase),
        _done(kill, over, phase),
    ]
    said = {
        "held": f"{_short(kill.worker)} is killed. It held {count}.",
        "queued": "Its tasks are back in the queue.",
        "running": f"They run again, {stations[2].text}.",
        "done": f"{stations[3].text}.",
    }[phase]
    lines = [_task(kill, run, number, phase) for number, run in enumerate(runs, 1)]
    return Story(phase, stations, lines, said)


def _countdown(kill: Kill) -> Line | None:
    """Until the dead worker's tasks are given back. None once they are."""
    try:
        with leases() as found:
            return _held_until(kill, found)
    except OperationalError as error:
        return Line("Noticed", "bad", f"the broker does not answer ({error})")


def _held_until(kill: Kill, found: Leases) -> Line | None:
    assert kill.killed_at is not None
    every = found.all()
    dead = next((lease for lease in every if lease.owner == kill.owner), None)
    if dead is None:
        return None
    others = [lease for lease in every if lease is not dead]
    if any(lease.host == host.here() for lease in others):
        left = found.look_seconds - (timezone.now() - kill.killed_at).total_seconds()
        text = f"others here look every {found.look_seconds:g} s"
        return Line("Noticed", "now", text, f"in {seconds(max(0.0, left))}")
    text = "when its lease runs out" if others else "by lease, or the next to start"
    return Line("Noticed", "now", text, f"in {seconds(dead.left)}")


def _taken(kill: Kill, again: list[Run], phase: str) -> Line:
    if not again:
        text = "waiting for a worker" if phase == "queued" else "not yet"
        return Line("Taken", "now" if phase == "queued" else "next", text)
    by = dict.fromkeys(_where(kill, run) for run in sorted(again, key=_start))
    mark = "past" if len(again) == len(kill.held) or phase == "done" else "now"
    return Line("Taken", mark, f"by {' and '.join(by)}", _after(kill, min(map(_start, again))))


def _done(kill: Kill, over: list[Run], phase: str) -> Line:
    ran, count = sum(run.state == Run.State.DONE for run in over), len(kill.held)
    if phase != "done":
        mark = "now" if phase == "running" else "next"
        return Line("Done", mark, f"{ran} of {count} ran again")
    last = max((run.finished_at for run in over if run.finished_at), default=None)
    time = _after(kill, last) if last else ""
    if ran == count:
        return Line("Done", "past", f"{ran} of {count} ran again, none lost", time)
    return Line("Done", "bad", f"{ran} of {count} ran again; see the others below", time)


def _task(kill: Kill, run: Run, number: int, phase: str) -> Line:
    ours = run.subject == str(kill.pk)
    name = f"Task {number}" if ours else run.name.removeprefix("examples.")
    where = _short(run.worker)
    if _ran_again(kill, run):
        time = _after(kill, _start(run))
        if run.state == Run.State.FAILED:
            return Line(name, "bad", f"failed on {where}", time)
        if run.finished:
            return Line(name, "past", f"ran again on {where}", time)
        return Line(name, "now", f"runs again on {where}", time)
    if run.finished:
        return Line(name, "past", "had just finished")
    return Line(name, "next", "held by the dead worker" if phase == "held" else "back in the queue")


def _ran_again(kill: Kill, run: Run) -> bool:
    return bool(kill.killed_at and run.started_at and run.started_at > kill.killed_at)


def _where(kill: Kill, run: Run) -> str:
    return _short(run.worker) + (", started again" if run.worker == kill.worker else "")


def _short(worker: str) -> str:
    return worker.partition("@")[0] or "a worker"


def _start(run: Run) -> datetime:
    assert run.started_at is not None
    return run.started_at


def _after(kill: Kill, moment: datetime) -> str:
    """Since the kill."""
    assert kill.killed_at is not None
    return f"+{seconds((moment - kill.killed_at).total_seconds())}"
