"""Publishing while nobody listens: each failed connect leaves nothing behind."""

import gc
from pathlib import Path
from typing import Any

import pytest

from dutiful.dev.embedded import free_port
from dutiful.transport.publisher_pool import PublisherPool
from dutiful.transport.redis.publisher import Unavailable
from tests.support.transport import connect


def test_failed_connects_leave_no_descriptors_open() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"

    def to_nobody(options: dict[str, Any], _: float) -> Any:
        return connect(url, **options)

    publishers = PublisherPool(to_nobody, lambda _: [], seconds=5, limit=2)

    def ping() -> None:
        with pytest.raises(Unavailable):
            publishers.ping()

    def opened() -> int:
        gc.collect()  # kombu's poll ends with it
        return len(list(Path("/proc/self/fd").iterdir()))

    ping()  # what is imported at the first use stays open
    before = opened()
    for _ in range(20):
        ping()
    assert opened() <= before
