"""The status page in a browser: live, still, readable, whatever happens to what it shows."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker, free_port
from dutiful.testing.browser import fits, shot
from dutiful.testing.processes import Running, celery, manage

pytestmark = [
    pytest.mark.timeout(300),
    # Each width and each palette once: these tests wait for leases to end.
    pytest.mark.parametrize("page", [(1280, "light"), (360, "dark")], indirect=True, ids=str),
]
SOON = 40_000
"""Milliseconds: a lease of 15 s, and the machine may be slow."""
SHIFTS = """
window.shifted = [];
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifted.push(entry.value);
}).observe({type: 'layout-shift', buffered: true});
"""
MAKE_STAFF = """
from django.contrib.auth.models import User
from django.test import Client
user = User.objects.create_superuser('ada')
client = Client()
client.force_login(user)
print(client.session.session_key)
"""


@dataclass
class World:
    address: str
    broker: EmbeddedBroker
    worker: Running
    session: str
    environment: dict[str, str]
    folder: Path

    def run(self, words: str) -> str:
        """In Django's shell; what it prints."""
        ended = Running(manage("shell", "-v0", "-c", words), self.folder / "run", self.environment)
        assert ended.wait() == 0, ended.log
        return ended.log.strip().splitlines()[-1] if ended.log.strip() else ""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A web, both workers, a beat, and their own broker."""
    folder = tmp_path_factory.mktemp("status")
    port = free_port()
    started: list[Running] = []
    with EmbeddedBroker(folder / "broker") as broker:
        environment = {
            "ENVIRONMENT": "development",
            "PYTHONPATH": str(env.ROOT),
            "BROKER_URL": broker.url,
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "FILES_DIR": str(folder / "files"),
        }
        migrate = Running(manage("migrate"), folder / "migrate.log", environment)
        assert migrate.wait() == 0, migrate.log
        web = [
            sys.executable,
            "-m",
            "gunicorn",
            "dutiful.drills.host.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
        ]
        try:
            for name, argv, ready in (
                ("web", [*web, "--threads", "4", "--no-control-socket"], "Booting worker"),
                ("io", celery("worker", "--profile", "io", "-I", "tests.support.jobs"), " ready."),
                ("compute", celery("worker", "--profile", "compute"), " ready."),
                ("beat", celery("beat"), "this beat leads"),
            ):
                started.append(Running(argv, folder / f"{name}.log", environment))
                started[-1].wait_for_log(ready)
            made = World(f"http://127.0.0.1:{port}", broker, started[1], "", environment, folder)
            made.session = made.run(MAKE_STAFF)
            yield made
        finally:
            for process in started:
                process.stop()


@pytest.fixture(scope="module")
def site(world: World) -> str:
    return world.address


@pytest.fixture
def page(page: Page, world: World) -> Page:
    """Of somebody who is staff."""
    page.context.add_cookies([{"name": "sessionid", "value": world.session, "url": world.address}])
    page.add_init_script(SHIFTS)
    page.goto("/status/")
    return page


def polled(page: Page, times: int = 1) -> None:
    for _ in range(times):
        with page.expect_response("**/status/live/**", timeout=SOON):
            pass
    page.wait_for_timeout(200)


def test_it_is_live_and_nothing_moves(page: Page, world: World, screenshots: Path) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Every promise is kept")
    fits(page)
    page.locator("#all-groups").focus()
    before = page.locator("#clock time").inner_text()
    world.run("from tests.support.jobs import say\nfor _ in range(300): say.delay('x')")
    polled(page, 3)
    assert page.locator("#clock time").inner_text() != before
    assert page.evaluate("document.activeElement.id") == "all-groups", "a poll took the focus"
    assert page.evaluate("shifted.reduce((a, b) => a + b, 0)") < 0.01, "the page moved"
    fits(page)
    shot(page, screenshots, "status")


def test_it_stands_still_when_asked_by_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.locator("#pause").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#clock")).to_contain_text("paused")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(6000)
    # The browser fetches the icon when it likes.
    assert [url for url in asked if not url.endswith("icon.svg")] == []
    page.locator("#resume").press("Enter")
    expect(page.locator("#clock")).to_contain_text("updated every 5 s")


def test_every_state_has_a_sign_and_words(page: Page) -> None:
    states = page.locator(".state")
    signs = states.evaluate_all(
        "all => all.map(one => [getComputedStyle(one, '::before').content, one.innerText.trim()])"
    )
    assert len(signs) > 20
    assert all(sign in {'"✓"', '"!"', '"✗"', '"?"'} and words for sign, words in signs), signs


def test_an_old_page_says_that_it_is_old(page: Page) -> None:
    stale = page.get_by_text("No update for a while")
    expect(stale).to_be_hidden()
    page.route("**/status/live/**", lambda route: route.fulfill(status=204))
    expect(stale).to_be_visible(timeout=SOON)
    page.unroute("**/status/live/**")
    expect(stale).to_be_hidden(timeout=SOON)


def test_a_dead_worker_then_no_broker(page: Page, world: World, screenshots: Path) -> None:
    """Both, in this order: what is killed stays dead for the next palette."""
    if world.worker.popen.poll() is None:
        world.worker.popen.kill()
        world.worker.popen.wait()
    world.run("from tests.support.jobs import say\nfor _ in range(300): say.delay('x')")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("broken: urgent_fast", timeout=2 * SOON)
    expect(page.locator("#todo")).to_contain_text("heroku ps:scale worker_io=1")
    expect(page.locator("#workers")).not_to_contain_text("io@", timeout=SOON)
    fits(page)
    shot(page, screenshots, "status-dead")
    world.broker.stop()
    expect(heading).to_contain_text("The broker does not answer", timeout=SOON)
    fits(page)
    shot(page, screenshots, "status-no-broker")
    world.broker.start()
    expect(heading).to_contain_text("broken: urgent_fast", timeout=SOON)
