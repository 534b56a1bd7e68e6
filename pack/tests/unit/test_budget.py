"""The arithmetic of connections: what is planned, what runs, what others hold."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from dutiful import env
from dutiful.catalogue.defaults import COMPUTE, IO, PROFILES
from dutiful.database.connections import WEB_CONNECTIONS
from dutiful.monitoring.budget import load, plan, report, server
from dutiful.monitoring.budget.sums import RESERVE, Budget, Limit, Measured, Part
from dutiful.monitoring.cost import Cost, Costs
from dutiful.monitoring.fleet.store import Counts
from dutiful.monitoring.snapshot import facts
from dutiful.worker.deployment import procfile, resources
from tests.support.snapshots import snapshot, taken

WEB = Part("web", "web", 2, rest=0, most=4, files=60)
WORKER = Part("worker_io", "worker_io", 3, rest=2, most=9, files=300)


def budget(room: int, *, others: int = 0) -> Budget:
    return Budget((WEB, WORKER), (Limit("max_connections", room + others, others, others),))


def counts(**planned: int) -> Mapping[str, int]:
    return {part.name: part.count for part in plan.budget(planned, Measured()).parts}


def test_it_adds_up_and_fits_to_the_last_connection() -> None:
    assert (budget(38).rest, budget(38).most) == (6, 2 * 4 + 3 * 9 + RESERVE)
    assert (budget(38).lacks, budget(37).lacks) == (0, 1)
    assert budget(38, others=9).tightest == Limit("max_connections", 47, 9, 9)
    assert budget(38, others=9).lacks == 0
    assert budget(73).in_release == 2 * 35 + RESERVE
    assert (budget(73).lacks_in_release, budget(72).lacks_in_release) == (0, 1)
    assert (budget(38).largest("worker_io"), budget(37).largest("worker_io")) == (3, 2)
    assert (budget(46).largest("worker_io"), budget(47).largest("worker_io")) == (3, 4)
    assert budget(5).largest("worker_io") == 0
    nobody = Budget((WEB,))
    assert (nobody.lacks, nobody.tightest, nobody.largest("web")) == (0, None, None)


def test_the_tightest_limit_counts_and_the_fullest_warns() -> None:
    limits = (Limit("max_connections", 97, 90, 60), Limit("role", 40, 20, 0))
    assert Budget((WEB,), limits).tightest == limits[0]  # 37 are left of it
    assert Measured(limits).fullest == limits[0]
    assert Measured((limits[0], Limit("role", 20, 20, 0))).fullest == Limit("role", 20, 20, 0)
    assert Limit("role", 0).share == 1.0  # a role that may not connect at all


def test_whose_a_connection_is() -> None:
    rows = [
        (True, True, "web", 3),
        (True, True, "worker_io", 8),
        (True, True, "psql", 1),
        (True, True, "command", 4),
        (True, False, "worker_io", 5),  # another role's: not ours, whatever it says
        (False, True, "web", 2),
        (False, False, "", 10),
    ]
    seen = server.of_rows({"max_connections": 97, "role": 40, "database": 30}, rows, "command")
    assert seen.live == {"web": 3, "worker_io": 8}
    assert seen.commands == 5
    used = {limit.name: (limit.used, limit.others) for limit in seen.limits}
    ours = 3 + 8 + RESERVE  # of the five, the reserve is for three
    assert used == {
        "max_connections": (33, 33 - ours),
        "role": (18, 18 - ours),
        "database": (21, 21 - ours),
    }
    none = server.of_rows({"max_connections": 97, "role": -1, "database": -1}, rows, "command")
    assert [limit.name for limit in none.limits] == ["max_connections"]
    named = server.of_rows({"max_connections": 97}, [(True, True, "shop", 30)], "shop")
    assert (named.live, named.limits[0].others) == ({"shop": 30}, 0)


def test_the_formation_is_what_is_planned_else_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counts() == dict.fromkeys(counts(), 1)
    assert counts(worker_io=10)["worker_io"] == 10
    assert counts(worker_io=0)["worker_io"] == 0
    with pytest.raises(plan.NoSuchProcess, match="no bot, wrokers in the Procfile; it has web, w"):
        counts(bot=1, wrokers=2)
    two = facts.Workers(each=tuple(replace(w, profile="io") for w in snapshot().workers.each))
    running = plan.budget({}, Measured(live={"web": 2 * WEB_CONNECTIONS + 1}), two).parts
    assert {part.name: part.count for part in running if part.count > 1} == {
        "web": 3,  # its connections must come from somewhere
        "worker_io": 2,  # their leases
    }
    gone = facts.Workers(each=tuple(replace(w, alive=False) for w in two.each))
    assert all(part.count == 1 for part in plan.budget({}, Measured(), gone).parts)
    seen = taken(5)
    assert plan.budget({}, seen).limits == seen.limits
    monkeypatch.setenv("DATABASE_PGBOUNCER", "1")
    assert plan.budget({}, seen).limits == ()  # a pooler's clients are not the server's
    assert plan.budget({}, seen, limits=[Limit("--limit", 9)]).lacks > 0


def test_each_process_takes_what_its_pool_may_open() -> None:
    parts = {part.name: part for part in plan.budget({}, Measured()).parts}
    assert parts["worker_io"].most == IO.database_connections
    assert parts["worker_compute"].most == COMPUTE.database_connections
    assert parts["web"].most == WEB_CONNECTIONS
    assert parts["flower"].most == 0
    assert parts["worker_io"].files > parts["web"].files > 40


def test_the_smallest_heroku_has_room_for_the_small_formation() -> None:
    """essential-0 gives 20 connections; README's commands start no Flower."""
    small = [
        Part(each.name, each.kind, 1, *resources.of_database(each), files=0)
        for each in procfile.read(env.ROOT, profiles=PROFILES["small"])
    ]
    assert Budget(tuple(small), (Limit("role", 20),)).lacks == 0


def costs(*tasks: tuple[str, int, float, int, float]) -> Costs:
    """Queue, runs, seconds, statements, database seconds; in 100 s."""
    each = []
    for queue, runs, seconds, queries, database in tasks:
        told = Counts(queries=queries, database=database)
        told.outcomes["succeeded"], told.seconds["run"] = runs, seconds
        each.append(Cost(queue, queue, told))
    return Costs(each, 100.0)


def test_load_as_recorded_and_with_every_slot_busy() -> None:
    seen = costs(
        ("urgent_fast", 1000, 50.0, 3000, 5.0),
        ("average_slow", 10, 150.0, 100, 5.0),
        ("average_slow_compute", 10, 400.0, 40, 4.0),
    )
    all_ = load.recorded(seen)
    assert (all_.queries, all_.busy) == (31.4, 0.14)
    lines = procfile.read(env.ROOT, profiles=PROFILES["standard"])
    named = plan.budget({"worker_io": 2, "worker_compute": 3}, Measured())
    io, compute = load.projected(seen, lines, named)
    # io: of 200 s of its queues' tasks, 10 s in the database and 3100 statements; 200 slots.
    assert io.queries == pytest.approx(3100)
    assert io.busy == io.wanted == pytest.approx(10)
    # compute: average_slow too; 550 s, 9 s, 140 statements; 12 slots.
    assert compute.queries == pytest.approx(12 * 140 / 550)
    assert compute.busy == pytest.approx(12 * 9 / 550)
    assert load.projected(costs(), lines, named) == []
    # Half of the time in the database: 100 of 200 slots, and the pools open 18.
    (crowded, _) = load.projected(costs(("average_slow", 10, 20.0, 4000, 10.0)), lines, named)
    assert (crowded.busy, crowded.wanted) == (18, 100)
    assert crowded.queries == pytest.approx(40_000 * 18 / 100)


def test_what_is_said() -> None:
    tight = budget(37, others=9)
    seen = Measured(tight.limits, {"web": 2, "worker_mail": 4}, 1)
    loads = [load.Load("recorded", 3.0, 0.1, 0.1), load.Load("worker_io", 9000.0, 27, 31.0)]
    said = report.table(tight, seen, loads, 1024, 3600)
    assert "worker_io        3     6       27    0\n" in said
    assert "It does not fit: 38 connections may be opened, and there are 37" in said
    assert "Fewer, one of: web=1, worker_io=2; or\n" in said
    assert "a larger plan: 47 connections or more" in said
    assert "worker_io      9,000    27  27\n" in said
    assert "worker_io: 31 would be busy if there were so many: tasks wait for them." in said
    assert load.ASSUMES in said.replace("\n", " ")
    assert "let the old ones end first" in "\n".join(report.verdict(budget(38), None))
    assert report.verdict(budget(80), 1024) == [
        "It fits, also while a release runs old and new side by side."
    ]
    (_, files) = report.verdict(budget(80), 256)
    assert files.startswith("worker_io may need 300 files, and ulimit -n is 256 here: raise it")
    told: dict[str, Any] = report.as_dict(tight, seen, loads, 256)
    assert (told["fits"], told["most"], told["processes"][1]["largest"]) == (False, 38, 2)


def test_who_may_read_replicas_measures_them_on_the_primary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = procfile.read(env.ROOT, profiles=PROFILES["standard"])
    before = {line.kind: resources.of_database(line)[1] for line in lines}
    monkeypatch.setenv("REPLICA_URLS", "postgres://app@replica:5432/app")
    after = {line.kind: resources.of_database(line)[1] for line in lines}
    more = {kind for kind in after if after[kind] > before[kind]}
    assert more == {"web", "worker_io", "worker_compute"}
