"""docs/adopting.md, done as it stands: a fresh project, the wheel, its own virtual environment."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from dutiful.beat.shared import LEASE_KEY
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running, wait_for
from tests.adopting.conftest import Place
from tests.adopting.page import MOST_LINES, sections
from tests.adopting.shop import add, send, start_shop

PIECES = ("Monitoring", "Outbox", "Beat", "Idempotency keys", "Dead letters", "Workers")
"""Not in the page's order: any will do."""
STOCK = (
    "import celery; celery.Celery('old', broker={url!r}).send_task('store.tasks.note', ({out!r},))"
)
PAGE = sections()

# About a minute on two idle cores; its forty processes take their time on busy ones.
pytestmark = pytest.mark.timeout(500)


@pytest.fixture(scope="module")
def shop(place: Place) -> Place:
    return start_shop(place)


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def serve(
    shop: Place, own_broker: EmbeddedBroker, start: Callable[..., Running]
) -> Callable[[str], Running]:
    """Starts one of the page's workers and waits until it is ready."""

    def run(command: str) -> Running:
        worker = start(shop.command(f"{command} --loglevel INFO", own_broker.url))
        worker.wait_for_log(" ready.")
        return worker

    return run


def do(shop: Place, broker: EmbeddedBroker, title: str) -> str:
    """A section's changes, then those of its commands that end. Returns what they printed."""
    section = PAGE[title]
    for change in section.changes:
        add(shop, change.file, change.text)
    ending = [line for line in section.commands if not line.startswith(("pip ", "celery "))]
    return "".join(shop.run(*line.split(), SHOP_BROKER=broker.url) for line in ending)


def runs(shop: Place, broker: EmbeddedBroker, out: Path, task: str = "note") -> None:
    """Sends a task as the shop's web process would, and waits for its end."""
    send(shop, broker.url, f"{task}.delay({str(out)!r})")
    wait_for(f"{task} has run", lambda: out.is_file() and out.read_text().endswith("done\n"))


def test_it_is_at_most_25_lines() -> None:
    changes = [change for section in PAGE.values() for change in section.changes]
    assert {change.file for change in changes} == {
        "shop/celery.py",
        "shop/settings.py",
        "shop/urls.py",
    }
    assert sum(change.lines for change in changes) <= MOST_LINES
    transport = PAGE["The transport alone"].changes
    assert [(change.file, change.lines) for change in transport] == [
        ("shop/celery.py", 2),
        ("shop/settings.py", 1),
    ]


def test_the_first_step_is_the_transport_alone(
    shop: Place,
    own_broker: EmbeddedBroker,
    serve: Callable[[str], Running],
    tmp_path: Path,
) -> None:
    """Stock tasks run, one of a foreign base too, and again after a kill -9 of their worker."""
    assert PAGE["Install"].commands == ["pip install dutiful"]
    waiting = tmp_path / "waiting"
    shop.run("python", "-c", STOCK.format(url=own_broker.url, out=str(waiting)))
    checked = do(shop, own_broker, "The transport alone")
    assert checked.count("dutiful.W010") == 2
    assert "dutiful.E" not in checked
    io, compute = (line for line in PAGE["The transport alone"].commands if "celery" in line)

    worker = serve(io)
    runs(shop, own_broker, tmp_path / "plain")
    runs(shop, own_broker, tmp_path / "foreign", "mail")
    out = tmp_path / "killed"
    send(shop, own_broker.url, f"note.delay({str(out)!r}, 2)")
    wait_for("the task begins", out.is_file)
    worker.kill_group()
    serve(compute)
    wait_for("it runs again", lambda: out.read_text() == "begun\nbegun\ndone\n")

    assert not waiting.exists()
    assert "1 moved" in do(shop, own_broker, "Messages that wait already")
    wait_for("the old message has run", waiting.is_file)


def test_then_each_piece_in_turn(
    shop: Place,
    own_broker: EmbeddedBroker,
    serve: Callable[[str], Running],
    tmp_path: Path,
) -> None:
    assert PAGE["The pieces"].commands == ["python manage.py migrate"]
    for piece in PIECES:
        assert PAGE[piece].changes, piece
        do(shop, own_broker, piece)
        assert "dutiful.E" not in shop.run("python", "manage.py", "check")
        do(shop, own_broker, "The pieces")
        worker = serve("celery -A shop worker --profile io")
        runs(shop, own_broker, tmp_path / piece.replace(" ", ""))
        worker.stop()
    with redis.Redis.from_url(own_broker.url) as client:
        assert client.llen("average_slow") == 0


def test_all_pieces_at_once_in_the_other_order(
    shop: Place,
    own_broker: EmbeddedBroker,
    serve: Callable[[str], Running],
    start: Callable[..., Running],
    tmp_path: Path,
) -> None:
    """Beat ticks, tasks run, and the addresses of the monitoring answer."""
    add(shop, "shop/settings.py", "INSTALLED_APPS.reverse()")
    serve("celery -A shop worker --profile io")
    start(shop.command("celery -A shop beat", own_broker.url))
    runs(shop, own_broker, tmp_path / "turned")
    answers = """
import json
from django.contrib.auth.models import User
from django.test import Client
client = Client(SERVER_NAME="localhost")
client.force_login(User.objects.create_superuser("owner"))
paths = ["/admin/", "/status/", "/metrics", "/healthz/live", "/healthz/ready"]
print(json.dumps({path: client.get(path).status_code for path in paths}))
"""
    shell = ("python", "manage.py", "shell", "-v", "0", "-c")
    told = shop.run(*shell, answers, SHOP_BROKER=own_broker.url)
    assert set(json.loads(told.strip().splitlines()[-1]).values()) == {200}
    with redis.Redis.from_url(own_broker.url) as client:
        wait_for("beat leads", lambda: client.exists(LEASE_KEY))
