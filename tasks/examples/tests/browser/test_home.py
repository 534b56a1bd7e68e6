"""The home page: three presses, three jobs done, at both widths."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dutiful.testing.browser import fits, shot
from tasks.examples.photo.sample import paint

pytestmark = pytest.mark.timeout(240)
DONE = 60_000
"""Milliseconds. Generous: the machine may be slow."""

PLACES = "cards => cards.map(card => [card.offsetTop, card.offsetHeight])"


def press(page: Page, slug: str) -> None:
    page.locator(f"#start-{slug}").click()


def done(page: Page, slug: str) -> None:
    expect(page.locator(f"#run-{slug}")).to_have_attribute("data-phase", "done", timeout=DONE)


def test_three_jobs(page: Page, screenshots: Path, tmp_path: Path) -> None:
    page.goto("/")
    fits(page)
    shot(page, screenshots, "home-idle")
    places = page.eval_on_selector_all(".card", PLACES)
    for slug in ("export", "mail", "photo"):
        press(page, slug)
    expect(page.locator("#run-export progress")).to_be_visible()
    shot(page, screenshots, "home-running")
    for slug in ("mail", "photo", "export"):
        done(page, slug)
        times = page.locator(f"#run-{slug} .time").all_inner_texts()
        assert [bool(re.fullmatch(r"[\d.]+ s", time)) for time in times] == [True, True, False]
    expect(page.locator("#run-photo")).to_contain_text("960 by 640 pixels")
    fits(page)
    assert page.eval_on_selector_all(".card", PLACES) == places, "the page moved as it polled"
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(500)
    shot(page, screenshots, "home-done")

    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download the CSV").click()
    downloading.value.save_as(tmp_path / "export.csv")
    with (tmp_path / "export.csv").open() as lines:
        assert sum(1 for _ in lines) == 200_001


def test_polling_stops_when_the_run_is_done(page: Page) -> None:
    page.goto("/")
    press(page, "mail")
    done(page, "mail")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1500)
    assert asked == []


def test_sign_up_arrives_and_its_link_confirms(page: Page, screenshots: Path) -> None:
    page.goto("/examples/mail/")
    width = page.viewport_size["width"] if page.viewport_size else 0
    scheme = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    address = f"ada-{width}-{scheme}@example.com".lower()
    page.get_by_label("E-mail address").fill(address)
    press(page, "mail")
    done(page, "mail")
    shot(page, screenshots, "mail")
    fits(page)
    page.get_by_role("link", name="Open the mailbox").click()
    fits(page)
    shot(page, screenshots, "mailbox")
    page.get_by_role("link", name=address).click()
    fits(page)
    shot(page, screenshots, "letter")
    page.get_by_role("link", name="/examples/mail/confirm/").click()
    page.get_by_role("button", name="Confirm the address").click()
    expect(page.get_by_role("heading", name="Confirmed")).to_be_visible()
    fits(page)


def test_an_export_is_cancelled(page: Page, screenshots: Path) -> None:
    page.goto("/examples/export/")
    press(page, "export")
    page.get_by_role("button", name="Cancel").click()
    done(page, "export")
    expect(page.locator("#run-export")).to_contain_text("Cancelled after")
    shot(page, screenshots, "export-cancelled")
    fits(page)


def test_an_upload_is_checked_and_replaced(page: Page, screenshots: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "cat.svg"
    hostile.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    page.goto("/examples/photo/")
    page.locator("#photo-file").set_input_files(hostile)
    press(page, "photo")
    done(page, "photo")
    expect(page.locator("#run-photo")).to_contain_text("SVG: it can carry scripts")
    shot(page, screenshots, "photo")
    fits(page)

    better = tmp_path / "hills.jpg"
    better.write_bytes(paint())
    page.get_by_role("link", name="Replace it").click()
    page.locator("#photo-other").set_input_files(better)
    shot(page, screenshots, "photo-replace")
    page.get_by_role("button", name="Replace and check").click()
    done(page, "photo")
    expect(page.locator("#run-photo")).to_contain_text("Accepted hills.jpg")
    fits(page)
