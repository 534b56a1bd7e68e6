"""Runs `make up`: starts everything in order, shows the table, watches, stops in order."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Final

from django.conf import settings

from dutiful import env
from dutiful.dev.up import database, demo, preflight, service, state, watch
from dutiful.dev.up.mailbox import Mailbox
from dutiful.dev.up.output import Output
from dutiful.dev.up.preflight import Refused
from dutiful.dev.up.processes import Process, StartError
from dutiful.dev.up.service import Service
from dutiful.dev.up.table import Row, next_steps, table

START_SECONDS: Final = 120.0


class Supervisor:
    """All processes of `make up`. They end by Ctrl-C, or because a start has failed."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.output = Output(len("worker_compute"), self.stopping.set)
        self.processes: dict[str, Process] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.environment: dict[str, str] = {}
        self.mailbox = Mailbox(env.MAILBOX_DIR)
        self.login = ""

    async def run(self) -> int:
        """Runs until Ctrl-C. Returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._asked_to_stop)
        life = asyncio.create_task(self._live())
        asked = asyncio.create_task(self.stopping.wait())
        await asyncio.wait({life, asked}, return_when=asyncio.FIRST_COMPLETED)
        life.cancel()
        try:
            await life
        except (StartError, Refused) as error:
            self.output.write(f"make up: {error}")
            return 1
        except asyncio.CancelledError:
            return 0
        finally:
            asked.cancel()
            await self._stop()
        return 0

    async def _live(self) -> None:
        if not env.EMAIL_URL.get():
            self.environment["EMAIL_URL"] = await self.mailbox.start()
        self._addresses()
        if not env.broker_url():
            await self._start([service.broker()])
        await self._prepare_database()
        await self._start(service.from_procfile(self.environment, preflight.answers))
        self.output.write(self._table())
        self.output.quiet = False
        watchers = {
            asyncio.create_task(self._restart_on_change()),
            asyncio.create_task(self._make_room()),
        }
        try:
            # Not gather, which would cancel the others together with this task.
            done, _ = await asyncio.wait(
                {*watchers, *self.tasks.values()}, return_when=asyncio.FIRST_EXCEPTION
            )
            for task in done:
                task.result()
        finally:
            for watcher in watchers:
                watcher.cancel()

    def _addresses(self) -> None:
        """Sets the variables that all processes need and that are not set: URLs and logins."""
        site = {
            "SITE_URL": f"http://127.0.0.1:{env.PORT.get()}",
            "FLOWER_URL": f"http://127.0.0.1:{env.FLOWER_PORT.get()}",
        }
        if demo.wanted():
            self.environment[database.DEMO_PASSWORD_VARIABLE] = demo.password()
            self.login = f"{database.DEMO_USER}, password {demo.password()}"
            site["FLOWER_BASIC_AUTH"] = f"{database.DEMO_USER}:{demo.password()}"
        self.environment |= {name: url for name, url in site.items() if not os.environ.get(name)}

    async def _start(self, services: list[Service]) -> None:
        """Starts the services and returns when all are up. Raises StartError if one is not."""
        fresh = {s.name: Process(s, self.output, self._changed) for s in services}
        self.processes |= fresh
        lives = {n: asyncio.create_task(p.supervise(), name=n) for n, p in fresh.items()}
        self.tasks |= lives
        all_up = asyncio.create_task(_all_up(list(fresh.values())))
        try:
            done, _ = await asyncio.wait(
                {all_up, *lives.values()},
                timeout=START_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            all_up.cancel()
        if all_up in done:
            return
        late = [name for name, process in fresh.items() if not process.up.is_set()]
        failed = next((n for n, life in lives.items() if life in done), late[0])
        self.output.write(self.output.last(failed))
        if lives[failed] in done:
            await lives[failed]  # raises its StartError
        raise StartError(f"{failed} was not up within {START_SECONDS:g} s; its output is above")

    async def _prepare_database(self) -> None:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "dutiful.dev.up.database",
            cwd=env.ROOT,
            env={**os.environ, **self.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            raw, _ = await child.communicate()
        except asyncio.CancelledError:
            child.kill()
            raise
        said = raw.decode(errors="replace").strip()
        if child.returncode == database.UNREACHABLE:
            raise Refused(said.splitlines()[-1])
        if child.returncode:
            self.output.write(said)
            raise Refused("the migrations failed; what they said is above")
        # Only this step needs it; Flower has it in FLOWER_BASIC_AUTH.
        self.environment.pop(database.DEMO_PASSWORD_VARIABLE, None)

    async def _restart_on_change(self) -> None:
        async for paths in watch.changes(env.ROOT):
            endings = {path.suffix for path in paths}
            found = [p for p in self.processes.values() if endings & set(p.service.reload_on)]
            shown = min(str(path.relative_to(env.ROOT)) for path in paths)
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            names = ", ".join(process.service.name for process in found)
            self.output.line("up", f"{shown}{more} changed; restarting {names}")
            for process in found:
                process.restart()

    async def _make_room(self) -> None:
        """Stops a worker while a `make worker` runs, whose breakpoint() must get the tasks."""
        while True:
            for name, process in self.processes.items():
                taken = state.place_taken(name)
                if taken and not process.displaced:
                    self.output.line("up", f"{name} stops: `make worker` takes its place")
                    process.make_room()
                elif process.displaced and not taken:
                    process.come_back()
            await asyncio.sleep(0.5)

    def _changed(self) -> None:
        pids = {name: process.pid for name, process in self.processes.items()}
        state.write({name: pid for name, pid in pids.items() if pid}, self.environment)

    def _table(self) -> str:
        broker = preflight.shown_broker()
        rows: list[Row] = [] if "broker" in self.processes else [("broker", "outside", "-", broker)]
        rows += [
            (name, "up", str(process.pid or "-"), process.service.where)
            for name, process in self.processes.items()
        ]
        if "EMAIL_URL" in self.environment:
            address = f"{self.environment['EMAIL_URL']}, kept in {_short(env.MAILBOX_DIR)}"
            rows.append(("mailbox", "up", str(os.getpid()), address))
        site = f"http://127.0.0.1:{env.PORT.get()}"
        return f"\n{table(rows)}\n{next_steps(site, self.login, _next_command())}"

    def _asked_to_stop(self) -> None:
        if self.stopping.is_set():
            self.output.write("make up: killing what is left")
            for process in self.processes.values():
                process.signal_group(signal.SIGKILL)
            return
        self.output.write("\nmake up: stopping; Ctrl-C again kills")
        self.stopping.set()

    async def _stop(self) -> None:
        """Stops workers first, while the broker can be reached, and the broker last."""
        workers = [name for name in self.processes if name.startswith("worker")]
        rest = [name for name in self.processes if name not in (*workers, "broker")]
        for names in (workers, rest, ["broker"]):
            here = [name for name in names if name in self.processes]
            for name in here:
                self.processes[name].stop()
            with contextlib.suppress(StartError):
                await asyncio.gather(*(self.tasks[name] for name in here))
        self.mailbox.stop()
        state.FILE.unlink(missing_ok=True)


async def _all_up(processes: list[Process]) -> None:
    for process in processes:
        await process.up.wait()


def _next_command() -> str:
    """A project that was made with `make template` has no drills."""
    if "dutiful.drills" in settings.INSTALLED_APPS:
        return "make drill"
    return ".venv/bin/python manage.py newtask send_invoice --urgency urgent --runtime fast"


def _short(path: Path) -> str:
    return str(path.relative_to(env.ROOT) if path.is_relative_to(env.ROOT) else path)
