"""A task that keeps a database connection while it waits for something else is reported."""

import sys
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from honcho.environ import parse_procfile

from dutiful import env
from dutiful.database import connections as db
from dutiful.dev.embedded import EmbeddedBroker, free_port
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.postgres import Postgres
from dutiful.testing.processes import Running, manage, wait_for
from tests.support import faulty
from tests.support.faults import World
from tests.support.postgres import own_postgres
from tests.support.sentry import Tracker, tracker

pytestmark = [pytest.mark.django_db(transaction=True)]
SECONDS = 5.5
"""Just long enough to be reported."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with own_postgres() as server:
        server.sql(faulty.TABLES)
        yield server


@pytest.fixture
def world(postgres: Postgres, start_worker: StartWorker) -> World:
    return World(postgres, start_worker)


@pytest.fixture
def sentry() -> Iterator[Tracker]:
    with tracker() as running:
        yield running


def test_a_shared_connection_held_over_a_long_call_is_reported(
    world: World, sentry: Tracker
) -> None:
    world.begin(SENTRY_DSN=sentry.dsn)
    keys = [str(uuid4()) for _ in range(2)]
    for key in keys:
        faulty.linger.delay(key, SECONDS)
    for key in keys:
        world.meets(key, retries=0)
    report = "faulty.linger held a shared database connection for"
    wait_for("the report", lambda: report in world.worker.log)
    assert world.worker.log.count(report) == 1  # once in ten minutes
    (event,) = wait_for("the event", lambda: sentry.events)
    assert (event["level"], event["tags"]["task"]) == ("warning", "faulty.linger")
    assert report in event["message"]


def test_a_childs_own_connection_is_reported_within_a_transaction(world: World) -> None:
    world.begin("prefork")
    alone, within = str(uuid4()), str(uuid4())
    faulty.linger.delay(alone, SECONDS)
    world.meets(alone, retries=0)
    assert "faulty.linger held" not in world.worker.log
    faulty.linger.delay(within, SECONDS, within=True)
    world.meets(within, retries=0)
    report = "faulty.linger held an open transaction for"
    wait_for("the report", lambda: report in world.worker.log)


def test_threads_of_the_web_share_a_pool(
    postgres: Postgres, start: Callable[..., Running], broker: EmbeddedBroker
) -> None:
    environment = {
        "DATABASE_URL": postgres.url(),
        "ALLOWED_HOSTS": "127.0.0.1",
        "PORT": str(free_port()),
    }
    assert start(manage("migrate", "-v0"), environment).wait() == 0
    line = parse_procfile((env.ROOT / "Procfile").read_text()).processes["web"]
    web = start([sys.executable, "-m", *line.split()], environment)
    address = f"http://127.0.0.1:{environment['PORT']}/admin/login/?next=/admin/"
    web.wait_for_log("Listening at")

    def visit(number: int) -> int:
        cookie = {"Cookie": f"sessionid=unknown-to-the-database-{number}"}
        request = urllib.request.Request(address, headers=cookie)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)

    clients = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'web'"
    most = 0
    with ThreadPoolExecutor(16) as visitors:
        answers = [visitors.submit(visit, number) for number in range(100)]
        while not all(answer.done() for answer in answers):
            most = max(most, postgres.sql(clients)[0][0])
    assert {answer.result() for answer in answers} == {200}
    assert 0 < most <= db.WEB_CONNECTIONS
