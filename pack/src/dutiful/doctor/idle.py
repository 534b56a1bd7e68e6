"""Whether the server closes idle connections."""

from collections.abc import Iterator

from dutiful.doctor.finding import Finding, Kind
from dutiful.doctor.server import Server
from dutiful.worker.deployment.model import Deployment

HANGS_UP = Kind(
    "doctor.W007",
    "the server closes idle connections",
    "The first publish after an idle time meets a closed connection: it is late, and fails where"
    " retries are off.",
    "CONFIG SET timeout 0; and the same in redis.conf. Heroku: heroku redis:timeout --seconds 0",
)


def examine(server: Server, deployment: Deployment) -> Iterator[Finding]:
    timeout = server.setting("timeout")
    if timeout is not None and int(timeout) > 0:
        yield HANGS_UP.found(f"timeout is {timeout} s")
