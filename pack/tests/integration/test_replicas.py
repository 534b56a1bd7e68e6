"""Reads from replicas are never older than what the publisher saw; writes go to the primary."""

from collections.abc import Iterator

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running, celery, wait_for
from tests.support.replica_world import IMPORTS, World, world

pytestmark = pytest.mark.timeout(300)
NEW = "DispatchToken.objects.create(key={key!r}, holder='x'); {task}.delay(path, {key!r})"


@pytest.fixture(scope="module")
def there() -> Iterator[World]:
    with world() as found:
        yield found


@pytest.fixture(scope="module")
def worker(
    there: World, broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    running = Running(
        celery("worker", "--profile", "io", "-I", IMPORTS),
        tmp_path_factory.mktemp("worker") / "log",
        there.environment,
    )
    running.wait_for_log(" ready.")
    yield running
    running.stop()


@pytest.fixture
def level(there: World, worker: Running) -> World:
    """Waits until the replica has everything and the worker has measured it."""
    there.replica.hold(0)
    there.run("DispatchToken.objects.all().delete()")

    def measured() -> bool:
        there.run("look.delay(path, 'nothing')")
        return bool(there.lines(1)[0]["where"] == "replica1")

    wait_for("a read of the replica", measured)
    return there


def test_a_replica_that_has_it_is_read(level: World) -> None:
    level.run(NEW.format(key="a", task="look"))
    (found,) = level.lines(1)
    assert (found["there"], found["where"]) == (True, "replica1")


def test_a_replica_that_lacks_it_is_not(level: World) -> None:
    level.replica.pause()
    try:
        level.run(NEW.format(key="b", task="look"))
        (found,) = level.lines(1)
    finally:
        level.replica.resume()
    assert (found["there"], found["where"]) == (True, "default")


def test_it_waits_once_for_a_replica_that_is_near(level: World) -> None:
    level.replica.hold(0.4)
    level.run(NEW.format(key="c", task="look"))
    (found,) = level.lines(1)
    assert (found["there"], found["where"]) == (True, "replica1")


def test_delayed_is_put_back_once_and_then_reads_there(level: World) -> None:
    level.replica.hold(1.2)
    level.run(NEW.format(key="d", task="look_later"))
    (found,) = level.lines(1)
    assert (found["there"], found["where"]) == (True, "replica1")


def test_delayed_is_put_back_no_more_than_once(level: World, worker: Running) -> None:
    level.replica.pause()
    try:
        level.run(NEW.format(key="e", task="look_later"))
        (found,) = level.lines(1)
    finally:
        level.replica.resume()
    assert (found["there"], found["where"]) == (True, "default")
    assert worker.log.count("no replica has what it needs yet") <= 2


def test_what_declares_nothing_reads_the_primary(level: World) -> None:
    level.run(NEW.format(key="f", task="look_plainly"))
    assert level.lines(1)[0]["where"] == "default"


def test_a_message_without_a_position_reads_the_primary(level: World) -> None:
    level.run(NEW.format(key="g", task="look"), REPLICA_URLS="")
    assert level.lines(1)[0]["where"] == "default"


def test_a_task_reads_what_it_wrote(level: World) -> None:
    level.run(NEW.format(key="h", task="write"))
    (found,) = level.lines(1)
    assert (found["before"]["where"], found["came_from"]) == ("replica1", "replica1")
    assert (found["after"]["where"], found["fresh"]) == ("default", "changed")


def test_inside_a_transaction_it_reads_the_primary(level: World) -> None:
    level.run(NEW.format(key="i", task="lock"))
    (found,) = level.lines(1)
    assert found == {"inside": "default", "after": "default"}


def test_bookkeeping_is_no_touch(level: World) -> None:
    level.run(NEW.format(key="j", task="enqueue"))
    lines = level.lines(2)
    (own,) = [line for line in lines if "before" in line]
    assert own == {"before": "replica1", "after": "replica1"}
    (child,) = [line for line in lines if "there" in line]
    assert child["there"]


def test_a_write_on_a_replica_names_the_task(level: World, worker: Running) -> None:
    level.run(NEW.format(key="k", task="trespass"))
    level.lines(1)
    said = "tests.support.replicated.trespass writes on replica1, which is read-only"
    worker.wait_for_log(said)


def test_a_child_of_prefork_knows_what_its_parent_measured(level: World) -> None:
    words = ("worker", "-Q", "relaxed_slow", "-P", "prefork", "-c", "2", "-I", IMPORTS)
    prefork = Running(celery(*words), level.folder / "prefork.log", level.environment)
    try:
        prefork.wait_for_log(" ready.")

        def reads_there() -> bool:
            level.run("look.apply_async((path, 'm'), queue='relaxed_slow')")
            return bool(level.lines(1)[0]["where"] == "replica1")

        wait_for("a read of the replica", reads_there)
    finally:
        prefork.stop()
