"""`make up`, as a newcomer sees it. One start serves most tests; the last of them stops it."""

import contextlib
import json
import os
import pty
import signal
import smtplib
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from email.message import EmailMessage
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from dutiful.dev.up import demo, state
from dutiful.testing.processes import Running, wait_for
from dutiful.testing.up import COMMAND, refused, settings
from tests.template import ROOT, SETTINGS

NAMES = ("broker", "web", "worker_io", "worker_compute", "beat", "monitor", "flower")


class Up:
    """A running `make up`."""

    def __init__(self, folder: Path) -> None:
        self.var = folder / "var"
        self.environment = settings(self.var) | SETTINGS
        self.site = f"http://127.0.0.1:{self.environment['PORT']}"
        self.flower = f"http://127.0.0.1:{self.environment['FLOWER_PORT']}"
        self.running = Running(COMMAND, folder / "log", self.environment, cwd=ROOT)
        self.running.wait_for_log("Next: `make drill`", 150)
        self.table = self.running.log
        self.password = (self.var / demo.FILE.name).read_text().strip()

    def pids(self) -> dict[str, int]:
        found = json.loads((self.var / state.FILE.name).read_text())
        return {name: pid for name, (pid, _) in found["processes"].items()}

    def new_pid(self, name: str, old: int) -> int:
        return wait_for(
            f"a new {name}", lambda: self.pids().get(name) not in (None, old) and self.pids()[name]
        )

    def variable(self, name: str) -> str:
        found = json.loads((self.var / state.FILE.name).read_text())
        return str(found["environment"][name])


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    up = Up(tmp_path_factory.mktemp("up"))
    yield up
    left = up.pids() if up.running.popen.poll() is None else {}
    up.running.stop(60)
    for pid in left.values():
        assert not state.identity(pid)


def test_the_table_names_everything_and_what_to_do_next(up: Up) -> None:
    rows = {line.split()[0]: line.split() for line in up.table.splitlines() if line.strip()}

    for name, pid in up.pids().items():
        assert rows[name][1:3] == ["up", str(pid)]
    assert set(up.pids()) == set(NAMES)
    assert up.site in rows["web"]
    assert up.flower in rows["flower"]
    assert f"Open {up.site}" in up.table
    assert max(len(line) for line in up.table.splitlines() if "var/mail" not in line) <= 80
    assert up.table.splitlines()[0] == "", "nothing is said before the table"


def test_the_demo_login_opens_the_admin_and_flower(up: Up) -> None:
    assert f"Log in as demo, password {up.password}" in up.table
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    login = f"{up.site}/admin/login/"
    browser.open(login).close()
    form = {
        "username": "demo",
        "password": up.password,
        "csrfmiddlewaretoken": next(c.value for c in jar if c.name == "csrftoken") or "",
        "next": "/admin/",
    }
    with browser.open(login, urlencode(form).encode()) as page:
        assert urlsplit(page.url).path == "/admin/"

    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{up.flower}/workers")
    assert error.value.code == 401
    error.value.close()
    basic = b64encode(f"demo:{up.password}".encode()).decode()
    request = urllib.request.Request(
        f"{up.flower}/workers", headers={"Authorization": f"Basic {basic}"}
    )
    with urllib.request.urlopen(request) as page:
        assert page.status == 200


def test_the_mailbox_keeps_what_is_sent_over_smtp(up: Up) -> None:
    server = urlsplit(up.variable("EMAIL_URL"))
    message = EmailMessage()
    message["Subject"] = "Confirm"
    message["From"], message["To"] = "demo@example.com", "you@example.com"
    message.set_content("Open the link.")

    with smtplib.SMTP(str(server.hostname), server.port or 0) as smtp:
        smtp.send_message(message)

    (kept,) = (up.var / "mail").glob("*.eml")
    assert b"Subject: Confirm" in kept.read_bytes()


def test_a_killed_worker_comes_back(up: Up) -> None:
    old = up.pids()["worker_io"]
    os.kill(old, signal.SIGKILL)

    up.new_pid("worker_io", old)

    assert "worker_io was killed by SIGKILL; starts again in 0.5 s" in up.running.log


def test_a_killed_broker_comes_back_where_it_was(up: Up) -> None:
    old = up.pids()["broker"]
    os.kill(old, signal.SIGKILL)

    new = up.new_pid("broker", old)

    assert Path(f"/proc/{new}").exists() or state.identity(new)
    wait_for("web", lambda: urllib.request.urlopen(f"{up.site}/admin/login/").close() is None)


def test_a_changed_file_restarts_workers_and_beat(up: Up) -> None:
    old = up.pids()

    os.utime(ROOT / "tasks" / "queues.py")

    for name in ("worker_io", "worker_compute", "beat", "web"):
        up.new_pid(name, old[name])
    assert up.pids()["flower"] == old["flower"]
    assert "tasks/queues.py changed; restarting" in up.running.log


def test_make_worker_takes_the_place_of_ours_and_has_the_terminal(up: Up) -> None:
    """So that breakpoint() is reached, and can be answered."""
    old = up.pids()["worker_io"]
    ours, theirs = pty.openpty()
    worker = subprocess.Popen(
        [sys.executable, "-m", "dutiful.dev.up.foreground", "--profile", "io", "-P", "solo"],
        cwd=ROOT,
        env={**os.environ, **up.environment, "PYTHONPATH": str(ROOT)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    try:
        wait_for("ours makes room", lambda: "worker_io" not in up.pids())
        os.set_blocking(ours, False)
        said = b""

        def ready() -> bool:
            nonlocal said
            with contextlib.suppress(BlockingIOError):
                said += os.read(ours, 65536)
            return b" ready." in said

        wait_for("the worker", ready)
        assert b"solo" in said
        assert Path(f"/proc/{worker.pid}/fd/0").readlink() == Path(os.ttyname(theirs))
    finally:
        worker.kill()
        worker.wait()
        os.close(ours)
        os.close(theirs)
    up.new_pid("worker_io", old)


def test_a_second_one_in_the_same_folder_is_refused(up: Up) -> None:
    said = refused(SETTINGS, up.var, ROOT)

    assert said.startswith(f"make up: `make up` runs already here (pid {up.running.pid})")


def test_ctrl_c_stops_everything_workers_before_the_broker(up: Up) -> None:
    pids = up.pids()
    children = {
        int(child)
        for pid in pids.values()
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    }

    up.running.signal(signal.SIGINT)

    assert up.running.wait(60) == 0, up.running.log
    assert not [pid for pid in {*pids.values(), *children} if state.identity(pid)]
    assert not (up.var / state.FILE.name).exists()
    assert "Connection to broker lost" not in up.running.log.partition("stopping;")[2]
    assert "Traceback" not in up.running.log.partition("stopping;")[2]
