"""A real SMTP server for tests: each mail becomes a file, as the mailbox of `make up` does."""

import itertools
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller

from broker.embedded import free_port


class SmtpSink:
    """Listens on the loopback while the context lasts; `url` is what EMAIL_URL wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = itertools.count(1)
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.url = f"smtp://127.0.0.1:{self.controller.port}"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        name = f"{time.time():.3f}-{next(self.count)}"
        part = self.folder / f"{name}.part"
        part.write_bytes(envelope.original_content)
        part.rename(self.folder / f"{name}.eml")  # whole or not at all
        return "250 OK"

    def __enter__(self) -> "SmtpSink":
        self.folder.mkdir(parents=True, exist_ok=True)
        self.controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.controller.stop()
