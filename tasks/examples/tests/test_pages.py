"""The pages' doors: what is refused before a task is sent, and who may see what."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from project.celery import app
from tasks.examples.mail.links import confirmation_link
from tasks.examples.models import Photo, Signup

pytestmark = pytest.mark.django_db
app.set_current()  # pytest-celery's plugin makes an app of its own on import


def test_home_links_and_needs_no_inline_code(client: Client) -> None:
    page = client.get("/").content.decode()
    for slug in ("mail", "export", "photo"):
        assert f'id="start-{slug}"' in page
    assert 'href="http://127.0.0.1:5555"' in page
    assert 'href="/admin/"' in page
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?://(?!127)", page)


@pytest.mark.parametrize("address", ["", "nobody", "a@b", "a@example.com\nBcc: b@example.com"])
def test_an_address_that_cannot_be_mailed_is_refused(client: Client, address: str) -> None:
    assert client.post("/examples/mail/", {"email": address}).status_code == 422
    assert not Signup.objects.exists()


def test_an_address_signs_up_once(client: Client) -> None:
    Signup.objects.create(email="ada@example.com")
    answer = client.post("/examples/mail/", {"email": "Ada@Example.com"})
    assert answer.status_code == 422
    assert "has signed up already" in answer.content.decode()


def test_only_a_button_confirms_and_only_with_an_untouched_link(client: Client) -> None:
    signup = Signup.objects.create(email="ada@example.com")
    link = confirmation_link(signup).removeprefix("http://127.0.0.1:8000")
    client.get(link)  # as a mail scanner does
    assert Signup.objects.filter(confirmed_at=None).exists()
    assert client.post(link[:-3] + "x/").status_code == 404
    assert client.post(link).status_code == 200
    assert not Signup.objects.filter(confirmed_at=None).exists()
    signup.delete()
    assert client.post(link).status_code == 404


def test_an_upload_over_10_mb_is_refused(client: Client) -> None:
    large = SimpleUploadedFile("a.jpg", b"x" * (10 * 1024 * 1024 + 1))
    assert client.post("/examples/photo/", {"photo": large}).status_code == 422
    larger = SimpleUploadedFile("a.jpg", b"x" * (11 * 1024 * 1024))
    answer = client.post("/examples/photo/", {"photo": larger})
    assert answer.status_code == 413
    assert "at most 10 MB" in answer.content.decode()
    assert not Photo.objects.exists()


def test_uploads_keep_their_csrf_check() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/examples/photo/").status_code == 403


@pytest.fixture
def mailbox(settings: Any, tmp_path: Path) -> Path:
    settings.ENVIRONMENT, settings.MAILBOX_DIR = "development", tmp_path
    (tmp_path / "1.eml").write_bytes(
        b"To: ada@example.com\r\nSubject: <b>Hi</b>\r\n\r\n"
        b"<script>alert(1)</script> http://127.0.0.1:8000/x\r\n"
    )
    return tmp_path


def test_the_mailbox_shows_mails_as_text_with_links(client: Client, mailbox: Path) -> None:
    assert "&lt;b&gt;Hi&lt;/b&gt;" in client.get("/examples/mailbox/").content.decode()
    page = client.get("/examples/mailbox/1.eml/").content.decode()
    assert "&lt;script&gt;" in page
    assert '<a href="http://127.0.0.1:8000/x"' in page
    assert client.get("/examples/mailbox/..%2F1.eml/").status_code == 404


@pytest.mark.parametrize("url", ["/examples/mailbox/", "/examples/mailbox/1.eml/"])
def test_the_mailbox_is_closed_to_strangers_and_elsewhere(
    client: Client, mailbox: Path, settings: Any, url: str
) -> None:
    assert client.get(url).status_code == 200
    assert client.get(url, REMOTE_ADDR="192.0.2.7").status_code == 404
    settings.ENVIRONMENT = "production"
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(("slug", "retries"), [("mail", 6), ("export", 8), ("photo", 8)])
def test_each_job_says_what_its_task_promises(client: Client, slug: str, retries: int) -> None:
    page = client.get(f"/examples/{slug}/").content.decode()
    assert f"Up to {retries}, with growing pauses" in page
    assert f"tasks/examples/{slug}/tasks.py" in page
