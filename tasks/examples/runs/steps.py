"""A run as the three steps that a page shows: queue, worker, done."""

from dataclasses import dataclass

from tasks.examples.runs.models import Run


@dataclass(frozen=True)
class Step:
    name: str
    mark: str = "next"
    """"next", "now", "past" or "bad"; a word of `text` says the same."""
    text: str = "not yet"
    seconds: float | None = None


def steps(run: Run | None) -> list[Step]:
    """Always three, so that a page does not move when they change."""
    if run is None:
        return [Step("Queue"), Step("Worker"), Step("Done")]
    return [_queue(run), _worker(run), _end(run)]


def _queue(run: Run) -> Step:
    if run.between_tries:
        return Step("Queue", "now", f"waits for try {run.tries}", run.next_try_in)
    if run.state == Run.State.QUEUED:
        return Step("Queue", "now", "waiting", run.waited)
    return Step("Queue", "past", "waited", run.waited)


def _worker(run: Run) -> Step:
    if run.started_at is None:
        return Step("Worker")
    where = run.worker.partition("@")[0] or "worker"
    tries = f", try {run.tries}" if run.attempt else ""
    if run.state == Run.State.RUNNING:
        return Step("Worker", "now", f"running on {where}{tries}", run.ran)
    if run.state == Run.State.FAILED:
        return Step("Worker", "bad", f"failed on {where}{tries}", run.ran)
    return Step("Worker", "past", f"ran on {where}{tries}", run.ran)


def _end(run: Run) -> Step:
    if run.state == Run.State.DONE:
        return Step("Done", "past", run.result or "done")
    if run.state == Run.State.FAILED:
        return Step("Given up", "bad", "no more tries")
    return Step("Done")


def said(run: Run) -> str:
    """One sentence for a screen reader, when the phase changes."""
    return {
        "queued": "In the queue.",
        "retry": f"Failed; try {run.tries} follows.",
        "running": "A worker runs it.",
        "done": f"Done: {run.result}.",
        "failed": "Given up.",
    }[run.phase]
