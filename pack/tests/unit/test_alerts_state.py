"""The book: when an alert fires, is told, repeated, hidden behind its cause, and over."""

import json
from typing import Any

from dutiful.monitoring.alerts.alert import Finding, Severity
from dutiful.monitoring.alerts.catalogue import BY_ID
from dutiful.monitoring.alerts.state import LINGER, QUIET, REPEAT, AlertState


def finding(rule: str, subject: str = "", *, bad: bool = True, **more: Any) -> Finding:
    return Finding(rule=rule, subject=subject, bad=bad, text="so it is", **more)


def told(state: AlertState, now: float, *found: Finding) -> tuple[list[str], list[str], list[str]]:
    """Fired, repeated and resolved keys of one pass."""
    by_rule: dict[str, list[Finding]] = {}
    for each in found:
        by_rule.setdefault(each.rule, []).append(each)
    state.update(by_rule, now)
    notice = state.notice(now)
    lists = (notice.fired, notice.repeated, notice.resolved)
    fired, repeated, resolved = ([alert.key for alert in alerts] for alerts in lists)
    return fired, repeated, resolved


NOTHING: tuple[list[str], list[str], list[str]] = ([], [], [])


def test_it_fires_after_its_time_and_once() -> None:
    state = AlertState()
    bad = finding("queue-unserved", "urgent_fast")
    after = BY_ID["queue-unserved"].after
    assert told(state, 1000, bad) == NOTHING
    assert told(state, 1000 + after - 1, bad) == NOTHING
    assert told(state, 1000 + after, bad) == (["queue-unserved:urgent_fast"], [], [])
    assert told(state, 1005 + after, bad) == NOTHING
    assert state.firing["queue-unserved:urgent_fast"].since == 1000


def test_a_flicker_does_not_fire_and_does_not_end_it() -> None:
    state = AlertState()
    bad, good = finding("broker-down"), finding("broker-down", bad=False)
    assert told(state, 0, bad) == NOTHING
    assert told(state, 5, good) == NOTHING
    assert told(state, 10, bad) == NOTHING, "the ten seconds begin again"
    assert told(state, 20, bad)[0] == ["broker-down"]
    assert told(state, 25, good) == NOTHING
    assert told(state, 30, bad) == NOTHING
    assert told(state, 35, good) == NOTHING
    assert told(state, 50, good) == ([], [], ["broker-down"])


def test_between_bad_and_well_it_stays_as_it_is() -> None:
    state = AlertState()
    told(state, 0, finding("queue-late", "urgent_fast"))
    between = finding("queue-late", "urgent_fast", bad=False, well=False)
    for now in range(5, 500, 5):
        assert told(state, now, between) == NOTHING
    well = finding("queue-late", "urgent_fast", bad=False, well=True)
    told(state, 500, well)
    assert told(state, 530, well)[2] == ["queue-late:urgent_fast"]


def test_what_cannot_be_known_changes_nothing() -> None:
    state = AlertState()
    told(state, 0, finding("queue-late", "urgent_fast"))
    state.update({"queue-late": None}, 1000)
    assert not state.notice(1000)
    assert "queue-late:urgent_fast" in state.firing


def test_a_subject_that_is_gone_is_well() -> None:
    state = AlertState()
    told(state, 0, finding("worker-restarts", "io"))
    state.update({"worker-restarts": []}, 10)
    state.update({"worker-restarts": []}, 10 + BY_ID["worker-restarts"].calm)
    assert [alert.key for alert in state.notice(1000).resolved] == ["worker-restarts:io"]


def test_it_is_repeated_after_its_interval_only() -> None:
    state = AlertState()
    bad = finding("queue-late", "urgent_fast")
    told(state, 0, bad)
    interval = REPEAT[Severity.CRITICAL]
    assert told(state, interval - 5, bad) == NOTHING
    assert told(state, interval, bad) == ([], ["queue-late:urgent_fast"], [])
    assert told(state, interval + 5, bad) == NOTHING


def test_one_that_is_back_soon_is_told_when_the_quiet_time_is_over() -> None:
    state = AlertState()
    bad, good = (finding("queue-late", "urgent_fast", bad=bad) for bad in (True, False))
    told(state, 0, bad)
    told(state, 5, good)
    assert told(state, 40, good)[2] == ["queue-late:urgent_fast"]
    assert told(state, 100, bad) == NOTHING
    assert told(state, QUIET - 5, bad) == NOTHING
    assert told(state, QUIET, bad)[0] == ["queue-late:urgent_fast"]


def test_one_that_was_never_told_ends_without_a_word() -> None:
    state = AlertState()
    down, silent = finding("broker-down"), finding("beat-silent")
    told(state, 0, down, silent)
    assert told(state, 60, down, silent)[0] == ["broker-down"]
    assert "beat-silent" in state.firing
    well = (finding("broker-down", bad=False), finding("beat-silent", bad=False))
    told(state, 65, *well)
    assert told(state, 100, *well) == ([], [], ["broker-down"])


def test_an_effect_is_told_when_it_outlives_its_cause() -> None:
    state = AlertState()
    cause, effect = finding("queue-unserved", "urgent_fast"), finding("queue-late", "urgent_fast")
    other = finding("queue-late", "average_fast")
    told(state, 0, cause)
    assert told(state, 60, cause, effect, other)[0] == [
        "queue-unserved:urgent_fast",
        "queue-late:average_fast",
    ]
    mended = finding("queue-unserved", "urgent_fast", bad=False)
    told(state, 65, mended, effect)
    assert told(state, 75, mended, effect) == ([], [], ["queue-unserved:urgent_fast"])
    assert told(state, 75 + LINGER - 5, mended, effect)[0] == []
    assert told(state, 75 + LINGER, mended, effect)[0] == ["queue-late:urgent_fast"]


def test_one_that_gets_worse_is_told_again() -> None:
    state = AlertState()
    told(state, 0, finding("broker-memory"))
    assert told(state, 10, finding("broker-memory"))[0] == ["broker-memory"]
    worse = finding("broker-memory", severity=Severity.CRITICAL)
    assert told(state, 15, worse)[0] == ["broker-memory"]
    assert told(state, 20, worse) == NOTHING


def test_another_monitor_goes_on_where_the_first_ended() -> None:
    first, second = AlertState(), AlertState()
    bad = finding("queue-late", "urgent_fast")
    told(first, 0, bad)
    second.update({"queue-late": [bad]}, 0)
    second.stand_by()
    second.take_over(list(first.firing.values()))
    assert told(second, 30, bad) == NOTHING
    good = finding("queue-late", "urgent_fast", bad=False)
    told(second, 35, good)
    assert told(second, 65, good) == ([], [], ["queue-late:urgent_fast"])


def test_an_alert_says_all_there_is_to_know_as_json() -> None:
    state = AlertState()
    told(state, 7, finding("queue-late", "urgent_fast", value=99.0, promise=5, unit="seconds"))
    said = json.loads(json.dumps(state.firing["queue-late:urgent_fast"].as_json()))
    assert said["id"] == "queue-late"
    assert said["severity"] == "critical"
    assert (said["value"], said["promise"], said["unit"]) == (99.0, 5, "seconds")
    assert said["since"] == 7
    assert said["runbook"].endswith("runbook.md#queue-late")
