"""The export goes on where it stopped: after kill -9, after SIGTERM, on a disk and in a bucket."""

import csv
import io
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
import redis
from django.conf import settings
from django.core.files.storage import default_storage
from django.test import override_settings
from moto.server import ThreadedMotoServer

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.task.iterate import progress
from dutiful.task.models import Cursor
from dutiful.testing.processes import Running, celery, wait_for
from dutiful.testing.publishing import publishing_to
from project import storage
from tasks.examples.export.rows import PART, ROWS
from tasks.examples.export.tasks import write_export
from tasks.examples.models import Export
from tasks.examples.tests.pressing import finished

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
KEYS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
Worker = Callable[[], Running]


@pytest.fixture(params=["folder", "bucket"])
def place(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """The environment that names it, for workers; this process reads from it too."""
    if request.param == "folder":
        yield {}
        return
    s3 = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    s3.start()
    host, port = s3.get_host_and_port()
    named = {"S3_BUCKET": "exports", "S3_ENDPOINT_URL": f"http://{host}:{port}", **KEYS}
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3", endpoint_url=named["S3_ENDPOINT_URL"]).create_bucket(Bucket="exports")
    with override_settings(STORAGES={**settings.STORAGES, "default": storage.files()}):
        yield named
    s3.stop()


@pytest.fixture
def worker(
    server: EmbeddedBroker, start: Callable[..., Running], place: dict[str, str]
) -> Iterator[Worker]:
    def run() -> Running:
        running = start(
            celery("worker", "--profile", "io"),
            {"BROKER_URL": server.url, "LEASE_SECONDS": "3", **place},
        )
        running.wait_for_log(" ready.")
        return running

    with publishing_to(server.url):
        yield run


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM])
def test_every_row_is_there_once_and_no_part_was_written_again(
    worker: Worker, server: EmbeddedBroker, way: int
) -> None:
    first, export = worker(), Export.objects.create()
    sent = write_export.delay(str(export.pk))

    def some_parts() -> int:
        far: Any = progress(sent.id)
        return far.done if far and far.done >= 5 else 0

    wait_for("some parts", some_parts)
    os.killpg(first.pid, way)
    first.wait()
    stopped = progress(sent.id)
    assert stopped is not None
    assert 5 <= stopped.done < ROWS // PART
    second = worker()
    second.wait_for_log(f"resumes after {stopped.done} of {ROWS // PART}")
    assert finished(sent.id).result == f"{ROWS:,} rows"
    export.refresh_from_db()
    with default_storage.open(export.file) as file:
        lines = csv.reader(io.StringIO(file.read().decode()))
        next(lines)
        assert [int(line[0]) for line in lines] == list(range(1, ROWS + 1))
    assert default_storage.size(export.file) == export.size
    assert not [name for name in default_storage.listdir("exports")[1] if name.endswith(".part")]
    wait_for("no cursor", lambda: not Cursor.objects.exists())
    with redis.Redis.from_url(server.url) as client:
        wait_for("its acknowledgement", lambda: client.hlen("dutiful:messages") == 0)
