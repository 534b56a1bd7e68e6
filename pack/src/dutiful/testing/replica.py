"""A streaming replica of a test's PostgreSQL server, which can be made to lag."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dutiful.testing.postgres import QUICK, Postgres, PostgresMissing, owner, programs

PRIMARY: Final = {"wal_level": "replica", "max_wal_senders": "10", "hot_standby": "on"}
"""The primary's settings: PostgreSQL's defaults, which a packager may have changed."""


class Replica(Postgres):
    """A standby of a running `primary`. `settings` are lines of its postgresql.conf."""

    def __init__(
        self,
        folder: Path,
        primary: Postgres,
        settings: Mapping[str, str] = QUICK,
        name: str = "replica",
    ) -> None:
        super().__init__(folder, settings)
        self.primary, self.application = primary, name
        self._frozen: list[int] = []

    def make(self) -> None:
        """Copies the primary with pg_basebackup, unless there is data. Raises PostgresMissing."""
        self.own(self.folder)
        if self.data.exists():
            return
        source = f"host=127.0.0.1 port={self.primary.port} user=postgres"
        words = ["-d", f"{source} application_name={self.application}", "-X", "stream", "-R"]
        copied = subprocess.run(
            [str(programs() / "pg_basebackup"), "-D", str(self.data), *words, "-c", "fast"],
            capture_output=True,
            text=True,
            cwd="/",
            **owner(),
        )
        if copied.returncode:
            raise PostgresMissing(f"pg_basebackup failed: {copied.stderr.strip()}")

    def hold(self, seconds: float) -> None:
        """Makes it replay each commit `seconds` after it was made; 0 means at once."""
        self.sql(f"ALTER SYSTEM SET recovery_min_apply_delay = '{round(seconds * 1000)}ms'")
        self.sql("SELECT pg_reload_conf()")

    def pause(self) -> None:
        """Stops the replay until `resume()`."""
        self.sql("SELECT pg_wal_replay_pause()")

    def resume(self) -> None:
        """Continues the replay."""
        self.sql("SELECT pg_wal_replay_resume()")

    def caught_up(self) -> bool:
        """Whether it has replayed all that the primary has written."""
        ((there,),) = self.primary.sql("SELECT pg_current_wal_insert_lsn()")
        ((done,),) = self.sql(f"SELECT pg_last_wal_replay_lsn() >= '{there}'::pg_lsn")
        return bool(done)

    def freeze(self) -> None:
        """Stops all its processes, so that it does not answer until `thaw()`."""
        assert self.process is not None
        listed = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        self._frozen = [pid for (pid,) in self.sql(listed)] + [self.process.pid]
        for pid in self._frozen:
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Continues its processes."""
        for pid in self._frozen:
            os.kill(pid, signal.SIGCONT)

    def promote(self) -> None:
        """Makes it a primary. Returns when it takes writes."""
        self.sql("SELECT pg_promote(true, 60)")
