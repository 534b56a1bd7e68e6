"""The whole deployment for the browser: web, both workers, a mail server, on free ports."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, Page, sync_playwright

from broker.embedded import EmbeddedBroker, free_port
from project import env
from project.up.mailbox import Mailbox
from tests.support.processes import Running, celery, manage

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running site, as a developer has it after `make up`."""
    folder = tmp_path_factory.mktemp("site")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    started: list[Running] = []
    mail = folder / "mail"
    mail.mkdir()
    smtp = Controller(Mailbox(mail), hostname="127.0.0.1", port=free_port())
    smtp.start()
    with EmbeddedBroker(folder / "broker") as broker:
        environment = {
            "ENVIRONMENT": "development",
            "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
            "PYTHONPATH": str(env.ROOT),
            "TEST_MAILBOX_DIR": str(mail),
            "BROKER_URL": broker.url,
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "FILES_DIR": str(folder / "files"),
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp.port}",
            "SITE_URL": address,
        }
        web = [sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{port}"]
        migrate = Running(manage("migrate"), folder / "migrate.log", environment)
        assert migrate.wait() == 0, migrate.log
        try:
            for name, argv, ready in (
                ("web", [*web, "--workers", "1", "--threads", "4"], "Booting worker"),
                ("io", celery("worker", "--profile", "io"), " ready."),
                ("compute", celery("worker", "--profile", "compute"), " ready."),
            ):
                started.append(Running(argv, folder / f"{name}.log", environment))
                started[-1].wait_for_log(ready)
            yield address
        finally:
            for process in started:
                process.stop()
            smtp.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Skips where there is no Chromium, unless CI says that this tier must run."""
    if not CHROMIUM.exists():
        reason = f"no Chromium at {CHROMIUM}: apt-get install chromium"
        # A tier that CI_TIERS names may not pass by being skipped.
        if "browser" in os.environ.get("CI_TIERS", ""):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SCREENSHOTS_DIR, else a folder that pytest keeps for a while."""
    wanted = os.environ.get("SCREENSHOTS_DIR")
    folder = Path(wanted) if wanted else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(params=[(1280, "light"), (360, "light"), (1280, "dark"), (360, "dark")], ids=str)
def page(request: pytest.FixtureRequest, browser: Browser, site: str) -> Iterator[Page]:
    """A page at both widths and in both palettes. Fails where the console has an error."""
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, base_url=site
    )
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    yield opened
    context.close()
    assert not wrong, wrong
