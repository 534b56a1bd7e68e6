"""Each alert fires on what it is for, and is over when that is mended."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dutiful.monitoring.alerts.alert import Severity
from dutiful.monitoring.alerts.catalogue import RULES
from dutiful.monitoring.alerts.collected import Collected, Counters
from dutiful.monitoring.alerts.rules import evaluation
from dutiful.monitoring.alerts.rules.evaluation import evaluate
from dutiful.monitoring.alerts.state import AlertState
from dutiful.monitoring.slo.starts import Span, Starts
from dutiful.monitoring.snapshot import facts
from dutiful.monitoring.snapshot.replicas import Replica
from tests.support.snapshots import NOW, beat, collected, queue, snapshot, taken


def late_starts(share: float, hours: int = 1) -> Starts:
    starts = Starts()
    spans = [
        Span(NOW - 60 * (minute + 1), NOW - 60 * minute, 60, round(60 * share))
        for minute in reversed(range(60 * hours))
    ]
    starts.seed("urgent_fast", spans)
    return starts


def counted(values: dict[str, int]) -> Counters:
    counters = Counters()
    counters.read(NOW - 60, dict.fromkeys(values, 0))
    counters.read(NOW, values)
    return counters


def no_workers() -> facts.Workers:
    return facts.Workers(each=())


BEHIND = (Replica(name="replica1", usable=False, behind_seconds=61.0, behind_bytes=5),)
BAD: dict[str, Callable[[], Collected]] = {
    "broker-down": lambda: collected(snapshot(server=facts.Server(unreachable="refused"))),
    "database-down": lambda: collected(snapshot(database=facts.Database(unreachable="refused"))),
    "queue-unserved": lambda: collected(
        snapshot(queues=queue("urgent_fast", depth=3, oldest_seconds=2.0), workers=no_workers())
    ),
    "queue-late": lambda: collected(
        snapshot(queues=queue("urgent_fast", depth=9, oldest_seconds=66.0))
    ),
    "slo-burn-fast": lambda: collected(starts=late_starts(0.2)),
    "slo-burn-slow": lambda: collected(starts=late_starts(0.1, hours=6)),
    "beat-silent": lambda: collected(snapshot(beat=beat(overdue_seconds=30.0))),
    "heartbeat-late": lambda: collected(snapshot(beat=beat("urgent_fast", ran_at=NOW - 130))),
    "ticks-missed": lambda: collected(counters=counted({"ticks missed": 1})),
    "worker-lost": lambda: collected(counters=counted({"workers lost": 1})),
    "worker-restarts": lambda: collected(
        snapshot(workers=replace(snapshot().workers, starts={"io": 7}))
    ),
    "retries": lambda: collected(
        counters=counted({"runs:urgent_fast": 90, "retried:urgent_fast": 30})
    ),
    "dead-letters": lambda: collected(counters=counted({"dead:urgent_fast": 12})),
    "outbox-old": lambda: collected(snapshot(outbox=facts.Outbox(rows=4, oldest_seconds=61.0))),
    "broker-memory": lambda: collected(snapshot(server=facts.Server(memory=81, memory_limit=100))),
    "broker-evictions": lambda: collected(counters=counted({"evictions": 2})),
    "broker-persistence": lambda: collected(
        snapshot(server=facts.Server(persistence_error="MISCONF no space left"))
    ),
    "database-connections": lambda: collected(
        snapshot(database=facts.Database(connections=taken(81, web=50, worker_io=31)))
    ),
    "database-budget": lambda: collected(
        snapshot(database=facts.Database(connections=taken(0, limit=20)))
    ),
    "replica-lag": lambda: collected(
        snapshot(database=facts.Database(replicas=(*BEHIND, Replica(name="replica2"))))
    ),
    "channel-failing": lambda: collected(failing_channels={"webhook": "the receiver answered 500"}),
}


def seen(state: AlertState, bad: Collected, seconds: int, since: int = 0) -> dict[str, list[str]]:
    """A pass every five seconds; what was reported."""
    told: dict[str, list[str]] = {"fired": [], "resolved": []}
    for later in range(since, since + seconds + 1, 5):
        state.update(evaluate(bad), NOW + later)
        notice = state.notice(NOW + later)
        told["fired"] += [alert.key for alert in notice.fired]
        told["resolved"] += [alert.key for alert in notice.resolved]
    return told


def test_all_is_well_where_all_is_well() -> None:
    state = AlertState()
    assert seen(state, collected(), 600) == {"fired": [], "resolved": []}
    assert set(evaluation.EVALUATORS) == {rule.id for rule in RULES} == set(BAD)


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_it_fires_is_told_once_and_is_over_when_mended(rule: str) -> None:
    state = AlertState()
    told = seen(state, BAD[rule](), 100)
    assert [key for key in told["fired"] if key.partition(":")[0] == rule], told
    assert len(told["fired"]) == len(set(told["fired"]))
    assert not told["resolved"]
    for alert in state.firing.values():
        assert alert.text
        assert alert.text[-1] in "."
        assert alert.since == NOW
    counters = ("evictions", "ticks missed", "workers lost")
    of_queue = ("runs:urgent_fast", "retried:urgent_fast", "dead:urgent_fast")
    at_rest = counted(dict.fromkeys((*counters, *of_queue), 0))
    well = seen(state, collected(counters=at_rest), 700, 105)
    assert sorted(well["resolved"]) == sorted(told["fired"])
    assert not state.firing


def test_a_late_queue_says_when_it_is_drained_and_what_to_do() -> None:
    state = AlertState()
    busy = queue("urgent_fast", depth=900, oldest_seconds=90.0, arrivals=30.0, departures=10.0)
    ample = facts.Database(connections=taken(5, limit=500))
    seen(state, collected(snapshot(queues=busy, database=ample)), 10)
    alert = state.firing["queue-late:urgent_fast"]
    assert "waits for 1 min 30 s; promised are 5 s" in alert.text
    assert "drained never; it needs 21 more workers of profile io" in alert.text
    assert alert.advice[0] == "heroku ps:scale worker_io=22"
    # 100 connections, of which the others may take 18 and 5 are strangers': 77 for workers of 9.
    state = AlertState()
    seen(state, collected(snapshot(queues=busy)), 10)
    alert = state.firing["queue-late:urgent_fast"]
    assert "needs 21 more workers of profile io, and the database has connections for 7" in (
        alert.text
    )
    assert alert.advice[0] == "heroku ps:scale worker_io=8"
    assert alert.advice[-1] == "manage.py connections --formation worker_io=22"


def test_what_cannot_be_reached_is_judged_neither_good_nor_bad() -> None:
    away = "Connection refused"
    blind = snapshot(
        queues=facts.Queues(unreachable=away),
        workers=facts.Workers(unreachable=away),
        server=facts.Server(unreachable=away),
        outbox=facts.Outbox(unreachable=away),
        beat=facts.Beat(unreachable=away, leader_unreachable=away),
        database=facts.Database(unreachable=away),
    )
    found = evaluate(collected(blind))
    known = {rule for rule, findings in found.items() if findings}
    assert known == {"broker-down", "database-down", "slo-burn-fast", "slo-burn-slow"}
    state = AlertState()
    seen(state, collected(snapshot(queues=queue("urgent_fast", depth=9, oldest_seconds=90.0))), 5)
    told = seen(state, collected(blind), 600, 10)
    assert sorted(told["fired"]) == ["broker-down", "database-down"]
    assert told["resolved"] == []


def test_every_worker_dead_is_one_alert_a_queue_and_one_for_the_workers() -> None:
    dead = tuple(replace(worker, alive=False) for worker in snapshot().workers.each)
    waits = queue("urgent_fast", depth=50, oldest_seconds=200.0)
    state = AlertState()
    fleet = snapshot(queues=waits, workers=replace(snapshot().workers, each=dead))
    told = seen(state, collected(fleet), 300)
    # Nobody serves it, so that it is late too needs no word of its own.
    assert sorted(told["fired"]) == ["queue-unserved:urgent_fast", "worker-lost"]
    assert "io@here" in state.firing["worker-lost"].text


def test_a_leader_that_is_missed_is_an_alert_within_a_minute() -> None:
    state = AlertState()
    gone = replace(snapshot().beat, leader="")
    assert seen(state, collected(snapshot(beat=gone)), 40)["fired"] == []
    assert seen(state, collected(snapshot(beat=gone)), 5, 45)["fired"] == ["beat-silent"]
    # The database away as well: the lease alone tells.
    alone = facts.Beat(unreachable="refused", leader="")
    assert seen(AlertState(), collected(snapshot(beat=alone)), 60)["fired"] == ["beat-silent"]


def test_a_paused_heartbeat_and_one_before_the_first_are_not_late() -> None:
    paused = beat("urgent_fast", ran_at=NOW - 9000, paused=True)
    assert seen(AlertState(), collected(snapshot(beat=paused)), 60)["fired"] == []
    never = snapshot(beat=beat("urgent_fast", ran_at=None))
    assert seen(AlertState(), collected(never, since=NOW - 60), 10)["fired"] == []
    assert seen(AlertState(), collected(never, since=NOW - 130), 10)["fired"] == [
        "heartbeat-late:urgent_fast"
    ]


def test_the_last_five_percent_of_memory_are_critical() -> None:
    state = AlertState()
    seen(state, collected(snapshot(server=facts.Server(memory=96, memory_limit=100))), 20)
    assert state.firing["broker-memory"].severity is Severity.CRITICAL


def test_a_rule_that_breaks_does_not_silence_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(collected: Collected) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(evaluation.EVALUATORS, "queue-late", broken)
    found = evaluate(BAD["broker-down"]())
    assert found["queue-late"] is None
    assert found["broker-down"]
