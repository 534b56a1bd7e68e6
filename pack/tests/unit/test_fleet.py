"""Histograms, the tally, and the pipe of a prefork pool."""

import os

import pytest
from django.test import override_settings

from dutiful.conf.queues import catalogue
from dutiful.monitoring.fleet.buckets import (
    USUAL,
    above,
    edges,
    empty,
    from_labels,
    index,
    labelled,
    quantile,
)
from dutiful.monitoring.fleet.pipe import Pipe
from dutiful.monitoring.fleet.publishes import role
from dutiful.monitoring.fleet.store import OTHER, Counts, Fleet, parse
from dutiful.monitoring.fleet.tally import MOST_TASKS, Tally
from dutiful.monitoring.history import deltas
from tests.support.own_catalogue import PROFILES, QUEUES


def test_every_promise_is_an_edge() -> None:
    for queue in catalogue():
        assert queue.starts_within in edges()
        assert queue.runs_within in edges()


def test_the_edges_follow_the_projects_catalogue() -> None:
    before = edges()
    with override_settings(DUTIFUL={"QUEUES": QUEUES, "PROFILES": PROFILES}):
        assert {7.0, 45.0, 90.0, 660.0, 4000.0, 172800.0} == set(edges()) - set(USUAL)
        assert list(edges()) == sorted(edges())
        counts = empty()
        for seconds in (60, 89, 90, 91, 1e6):
            counts[index(seconds)] += 1
        assert above(counts, 90) == 2
        kept = labelled(counts)
    assert kept == {"60": 1, "90": 2, "120": 1, "+Inf": 1}
    assert edges() == before
    # Another release, without that promise: what was 90 s at most is 120 s at most.
    assert labelled(from_labels(kept)) == {"60": 1, "120": 3, "+Inf": 1}


def test_history_goes_on_over_a_change_of_the_catalogue() -> None:
    with override_settings(DUTIFUL={"QUEUES": QUEUES, "PROFILES": PROFILES}):
        old = Counts(wait=from_labels({"90": 5}))
        baseline = deltas.flat(Fleet({("mail", "urgent_fast"): old}, {}))
        fields = {f"mail|urgent_fast|{name}": by for name, by in old.numbers().items()}
    fields["mail|urgent_fast|wait|120"] = 2
    now = parse({name.encode(): str(by).encode() for name, by in fields.items()})
    (counts,) = deltas.since(deltas.flat(now), baseline).values()
    assert labelled(counts.wait) == {"120": 2}  # not the five once more


def test_quantiles_lie_in_their_bucket() -> None:
    counts = empty()
    assert quantile(counts, 0.5) is None
    for milliseconds in range(1, 1001):
        counts[index(milliseconds / 1000)] += 1
    assert quantile(counts, 0.5) == pytest.approx(0.5, abs=0.01)
    assert quantile(counts, 0.99) == pytest.approx(0.99, abs=0.01)
    assert above(counts, 0.5) == 500
    assert quantile([*empty()[:-1], 3], 0.5) == edges()[-1]


def test_a_tally_is_what_the_hash_holds() -> None:
    tally = Tally()
    tally.append(("mail", "urgent_fast", "succeeded", 0.3, 0.02, 0.01, 3, 0.004))
    tally.append(("mail", "urgent_fast", "crashed", None, None, None, None, None))
    numbers = tally.take()
    assert tally.take() == {}
    fleet = parse({name.encode(): str(by).encode() for name, by in numbers.items()})
    counts = fleet.tasks["mail", "urgent_fast"]
    assert (counts.outcomes["succeeded"], counts.outcomes["crashed"]) == (1, 1)
    assert counts.wait[index(0.3)] == counts.run[index(0.02)] == 1
    assert counts.seconds == {"wait": 0.3, "run": 0.02, "cpu": 0.01}
    assert (counts.queries, counts.database) == (3, 0.004)


def test_names_are_bounded() -> None:
    tally = Tally()
    for number in range(2 * MOST_TASKS):
        tally.append((f"task{number}", "urgent_fast", "succeeded", None, None, None, None, None))
    tally.append(("a|b", "no such queue", "succeeded", None, None, None, None, None))
    numbers = tally.take()
    assert len(numbers) <= MOST_TASKS + 2
    assert numbers[f"{OTHER}|urgent_fast|outcome|succeeded"] == MOST_TASKS


def test_a_pipe_keeps_lines_whole_and_never_waits() -> None:
    pipe = Pipe()
    run = ("task", "urgent_fast", "succeeded", 0.5, None, 0.25, 7, 0.125)
    for _ in range(100_000):  # more than it holds
        pipe.write(run)
    told = list(pipe.read())
    assert 500 < len(told) < 100_000
    assert set(told) == {run}
    pipe.write(("x" * 10_000, "urgent_fast", "failed", None, None, None, None, None))
    ((name, *_),) = pipe.read()
    assert len(name) < 512
    for end in (pipe._out, pipe._in):
        os.close(end)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["/app/.venv/bin/gunicorn", "dutiful.drills.host.wsgi"], "web"),
        (["manage.py", "runserver"], "web"),
        (["/x/celery", "-A", "dutiful.drills.host", "worker"], "worker"),
        (["/x/celery/__main__.py", "-A", "dutiful.drills.host", "beat"], "beat"),
        (["manage.py", "shell"], "other"),
    ],
)
def test_roles(words: list[str], what: str) -> None:
    assert role(words) == what
