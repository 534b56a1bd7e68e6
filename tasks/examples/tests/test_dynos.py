"""Web and workers in separate directories, as dynos are: files meet in an S3-compatible bucket."""

import re
import sys
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.request import HTTPCookieProcessor, Request, build_opener

import boto3  # type: ignore[import-untyped]
import pytest
from moto.server import ThreadedMotoServer

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker, free_port
from dutiful.testing.processes import Running, celery, wait_for
from tasks.examples.photo.sample import paint

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests"}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The environment of who shares the bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    shared = {"S3_BUCKET": "shared", "S3_ENDPOINT_URL": f"http://{host}:{port}", **KEYS}
    shared["AWS_DEFAULT_REGION"] = "us-east-1"
    for name, value in shared.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=shared["S3_ENDPOINT_URL"])
    client.create_bucket(Bucket="shared")
    client.close()
    yield shared
    server.stop()


class Visitor:
    """A browser without scripts."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.cookies = CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> bytes:
        with self.opener.open(self.site + path, timeout=30) as answer:
            return bytes(answer.read())

    def press(self, path: str, photo: bytes | None = None) -> str:
        """Posts a form. The path of the run that it started."""
        self.get("/")
        token = next(str(cookie.value) for cookie in self.cookies if cookie.name == "csrftoken")
        edge = "an-edge"
        body = f'--{edge}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n'
        content = body.encode() + token.encode() + b"\r\n"
        if photo is not None:
            disposition = 'Content-Disposition: form-data; name="photo"; filename="a.jpg"'
            content += f"--{edge}\r\n{disposition}\r\n\r\n".encode() + photo + b"\r\n"
        content += f"--{edge}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={edge}", "Referer": self.site}
        request = Request(self.site + path, content, headers)
        with self.opener.open(request, timeout=30) as answer:
            return str(answer.url).removeprefix(self.site)


def test_an_upload_is_checked_and_an_export_downloaded_across_dynos(
    bucket: dict[str, str],
    broker: EmbeddedBroker,
    django_db_setup: None,
    start: Callable[..., Running],
    tmp_path: Path,
) -> None:
    def dyno(name: str, argv: list[str], ready: str) -> None:
        """A process with a directory of its own for everything it writes."""
        folder = tmp_path / name
        folder.mkdir()
        own = {"FILES_DIR": str(folder / "files"), "PYTHONPATH": str(env.ROOT), **queue, **bucket}
        start(argv, own, cwd=folder).wait_for_log(ready)

    with EmbeddedBroker(tmp_path / "broker") as own_broker:
        queue = {"BROKER_URL": own_broker.url}
        port = free_port()
        web = [sys.executable, "-m", "gunicorn", "project.wsgi", "-b", f"127.0.0.1:{port}"]
        dyno("web", web, "Booting worker")
        dyno("io", celery("worker", "--profile", "io", "-c", "4"), " ready.")
        dyno("compute", celery("worker", "-Q", "average_slow_compute", "-c", "1"), " ready.")
        visitor = Visitor(f"http://127.0.0.1:{port}")

        def page_with(path: str, pattern: bytes) -> re.Match[bytes]:
            found = wait_for(f"{pattern!r}", lambda: re.search(pattern, visitor.get(path)))
            assert found is not None
            return found

        photo = visitor.press("/examples/photo/", paint(1))
        export = visitor.press("/examples/export/")
        page_with(photo, b"960 by 640 pixels")
        link = page_with(export, rb'href="(/examples/export/[^"]+/download/)"')[1].decode()
        assert visitor.get(link).count(b"\n") == 200_001
        for name in ("web", "io", "compute"):
            assert list((tmp_path / name).rglob("*.csv")) == []
            assert not (tmp_path / name / "files").exists()
