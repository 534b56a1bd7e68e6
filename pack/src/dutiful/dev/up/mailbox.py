"""The development mailbox: a real SMTP server that keeps each message in a file."""

import asyncio
import itertools
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """Writes each message to `<UTC time>-<number>.eml`, atomically."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keeps a message. aiosmtpd calls this when the whole message has arrived."""
        assert isinstance(envelope.content, bytes)
        when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        file = self.folder / f"{when}-{next(self._numbers):06}.eml"
        unfinished = file.with_suffix(".part")
        unfinished.write_bytes(envelope.content)
        unfinished.rename(file)
        return "250 kept"

    async def start(self) -> str:
        """Listens on a free port of the loopback, within the running loop. Returns EMAIL_URL."""
        self.folder.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="localhost", loop=loop), "127.0.0.1", 0
        )
        return f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        self._server.close()
