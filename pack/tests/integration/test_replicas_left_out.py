"""Only replicas that answer and are not too far behind are used; each process measures them."""

import time
from collections.abc import Callable, Iterator

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running, celery, wait_for
from tests.support.replica_world import IMPORTS, World, world

pytestmark = pytest.mark.timeout(300)
Start = Callable[..., Running]
WORKER = ("worker", "--profile", "io", "-I", IMPORTS)
MEASURED = """
from dutiful.testing.processes import wait_for
from dutiful.replicas import choice, status
from dutiful.replicas.reading import from_replica
def until(what, condition):
    def asked():
        choice.any_usable()
        return condition(status.of("replica1"))
    wait_for(what, asked, 40)
until("a measure", lambda one: one.usable)
"""
OUT = (
    'until("it is left out", lambda one: {how} and not one.usable)\nassert not choice.any_usable()'
)
BACK = 'until("it is back", lambda one: one.usable)\nassert choice.any_usable() == "replica1"'


@pytest.fixture
def there(broker: EmbeddedBroker) -> Iterator[World]:
    with world() as found:
        yield found


def test_a_web_request_may_ask_for_one(there: World) -> None:
    assert there.run("print(seen('a')['where'])") == "default\n"
    there.run(MEASURED)
    assert there.run("with from_replica(): print(seen('a')['where'])") == "replica1\n"
    assert there.run("print(seen('a')['where'])") == "default\n"


def test_too_many_bytes_behind(there: World) -> None:
    limit = {"REPLICA_MAX_LAG_MB": "1"}
    there.run(MEASURED, **limit)
    there.replica.pause()
    rows = "generate_series(1, 4000) i"
    there.primary.sql(f"CREATE TABLE big AS SELECT repeat(md5(i::text), 30) FROM {rows}")
    there.run(OUT.format(how="one.answers and one.behind_bytes > 1024 * 1024"), **limit)
    there.replica.resume()
    there.run(BACK, **limit)


def test_too_many_seconds_behind(there: World) -> None:
    limit = {"REPLICA_MAX_LAG_SECONDS": "2"}
    there.run(MEASURED, **limit)
    there.replica.pause()
    there.primary.sql("CREATE TABLE small (i int)")
    there.run(OUT.format(how="one.answers and one.behind_seconds > 2"), **limit)
    there.replica.resume()
    there.run(BACK, **limit)


def test_an_idle_primary_is_no_lag(there: World) -> None:
    there.run(f"""{MEASURED}
import time
end = time.monotonic() + 5
while time.monotonic() < end:
    choice.any_usable()
    assert status.of("replica1").behind_seconds < 3, status.of("replica1")
    time.sleep(0.1)
""")


def test_one_that_is_gone(there: World) -> None:
    there.run(MEASURED)
    there.replica.kill()
    there.run(OUT.format(how="True"))
    there.replica.start()
    there.run(BACK)


def test_one_that_hangs(there: World) -> None:
    there.run(MEASURED)
    there.replica.freeze()
    try:
        there.run(OUT.format(how="True"))
    finally:
        there.replica.thaw()
    there.run(BACK)


def test_one_that_was_promoted_is_none(there: World) -> None:
    there.run(MEASURED)
    there.replica.promote()
    there.run(OUT.format(how="True"))


def _behind(there: World) -> None:
    there.replica.pause()
    there.primary.sql("CREATE TABLE IF NOT EXISTS more (i int)")
    there.primary.sql("INSERT INTO more VALUES (1)")


HOLD = {"REPLICA_MAX_LAG_SECONDS": "1", "REPLICA_HOLD": "average"}


def _held(there: World, worker: Running) -> int:
    """Sends until one is held, which needs a first measurement. Returns the number sent."""
    sent = 0

    def held() -> bool:
        nonlocal sent
        there.run(f"look_plainly.delay(path, 'held {sent}')")
        sent += 1
        return "is held while every replica is too far behind" in worker.log

    wait_for("a task that is held", held)
    return sent


def test_a_class_is_held_until_a_replica_is_near(there: World, start: Start) -> None:
    _behind(there)
    worker = start(celery(*WORKER), {**there.environment, **HOLD})
    worker.wait_for_log(" ready.")
    sent = _held(there, worker)
    ran = len(there.told())
    time.sleep(4)
    assert len(there.told()) == ran < sent
    there.run("look_calmly.delay(path, 'of another class')")
    wait_for("what is not named", lambda: len(there.told()) == ran + 1)
    there.replica.resume()
    wait_for("all that was held", lambda: len(there.told()) == sent + 1)


def test_it_is_not_held_for_ever(there: World, start: Start) -> None:
    _behind(there)
    worker = start(celery(*WORKER), {**there.environment, **HOLD, "REPLICA_HOLD_SECONDS": "5"})
    worker.wait_for_log(" ready.")
    sent = _held(there, worker)
    wait_for("all of them", lambda: len(there.told()) == sent)


def test_its_lag_is_seen_wherever_one_looks(there: World) -> None:
    there.run(f"""{MEASURED}
from dutiful.monitoring.alerts.collected import Counters, Collected
from dutiful.monitoring.alerts.rules.replicas import replica_lag
from dutiful.monitoring.metrics.fleet import metrics
from dutiful.monitoring.slo.starts import Starts
from dutiful.monitoring.snapshot import take
def tell():
    snapshot = take()
    rest = dict(starts=Starts(), counters=Counters(), since=0.0)
    collected = Collected(now=0.0, snapshot=snapshot, **rest)
    (found,) = replica_lag(collected)
    (of,) = [m for m in metrics(snapshot, None) if m.name == "celery_replica_usable"]
    print(found.subject, found.bad, *(sample.value for sample in of.samples))
""")
    assert there.run("tell()") == "replica1 False 1.0\n"
    there.replica.kill()
    there.run(OUT.format(how="True"))
    assert there.run("tell()") == "replica1 True 0.0\n"
