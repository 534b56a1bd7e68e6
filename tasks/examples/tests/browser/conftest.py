"""The whole deployment for the browser: web, both workers, a mail server, on free ports."""

import sys
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker, free_port
from dutiful.dev.up.mailbox import Mailbox
from dutiful.testing.processes import Running, celery, manage

pytest_plugins = ["dutiful.testing.browser"]


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
            "DJANGO_SETTINGS_MODULE": "tasks.examples.tests.browser.settings",
            "PYTHONPATH": str(env.ROOT),
            "TEST_MAILBOX_DIR": str(mail),
            "BROKER_URL": broker.url,
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "FILES_DIR": str(folder / "files"),
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp.port}",
            "SITE_URL": address,
        }
        web = [
            sys.executable,
            "-m",
            "gunicorn",
            "project.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
        ]
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
