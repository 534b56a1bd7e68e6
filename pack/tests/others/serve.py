"""`python -m tests.others.serve CHECKOUT [words]`: pytest in a checkout, a server of its own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dutiful.dev.embedded import EmbeddedBroker

KOMBU = ("t/integration/test_redis.py", "t/integration/test_redis_brpop_qos.py")
CELERY = ("t/integration/test_tasks.py",)
OPTIONS = ("-p", "tests.others.plugin", "-o", "addopts=", "--timeout", "60", "--tb", "short", "-q")


def main(checkout: Path, words: list[str]) -> int:
    """pytest's exit code. Without words: the Redis tests that need a server."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedBroker(Path(folder)) as broker,
    ):
        environment = {
            "REDIS_HOST": "127.0.0.1",
            "REDIS_6379_TCP": str(broker.port),
            "REDIS_PORT": str(broker.port),
            "TEST_BROKER": broker.url,
            "TEST_BACKEND": broker.url.removesuffix("0") + "1",
        }
        files = KOMBU if (checkout / "kombu").is_dir() else CELERY
        argv = [sys.executable, "-m", "pytest", *OPTIONS, *(words or files)]
        return subprocess.call(argv, cwd=checkout, env={**os.environ, **environment})


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
