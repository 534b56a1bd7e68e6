"""A worker is killed by the button on the home page, under a real `make up`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dutiful.testing import up
from dutiful.testing.browser import fits, shot
from dutiful.testing.processes import Running
from tasks.examples.tests.browser.test_home import PLACES

pytestmark = pytest.mark.timeout(300)
DONE = 90_000
"""Milliseconds. Generous: the worker has to start again."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a `make up` of this module's own: other tests need their workers alive."""
    folder = tmp_path_factory.mktemp("up")
    environment = up.settings(folder / "var")
    running = Running(up.COMMAND, folder / "log", environment)
    try:
        running.wait_for_log("Next: `", 150)
        yield f"http://127.0.0.1:{environment['PORT']}"
    finally:
        running.stop(60)


def test_a_worker_dies_and_what_it_held_runs_again(page: Page, screenshots: Path) -> None:
    page.goto("/")
    fits(page)
    shot(page, screenshots, "kill-idle")
    places = page.eval_on_selector_all(".card", PLACES)
    run = page.locator("#run-kill")

    page.get_by_role("button", name="Kill the worker").click()

    expect(run).to_contain_text("held 5 tasks", timeout=DONE)
    expect(run).to_contain_text("io, pid")
    fits(page)
    shot(page, screenshots, "kill-held")
    expect(run).to_have_attribute("data-phase", "queued", timeout=DONE)
    expect(run).to_contain_text("tasks back in the queue")
    shot(page, screenshots, "kill-queued")
    expect(run).to_have_attribute("data-phase", "running", timeout=DONE)
    expect(run).to_contain_text("by io, started again")
    expect(page.locator("#said-kill")).to_contain_text("They run again, by io")
    shot(page, screenshots, "kill-running")
    expect(run).to_have_attribute("data-phase", "done", timeout=DONE)
    expect(run).to_contain_text("5 of 5 ran again, none lost")
    expect(page.locator("#said-kill")).to_have_text("5 of 5 ran again, none lost.")
    expect(run.get_by_text("ran again on io")).to_have_count(5)
    fits(page)
    shot(page, screenshots, "kill-done")
    assert page.eval_on_selector_all(".card", PLACES) == places, "the page moved as it polled"

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1500)
    assert asked == [], "the page stops asking"
