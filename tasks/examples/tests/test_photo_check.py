"""The photo check: a clear verdict for whatever a stranger uploads."""

import io
import random
import struct
import zlib

import pytest
from PIL import Image, ImageFilter

from tasks.examples.photo import check as checks
from tasks.examples.photo.check import Verdict, check
from tasks.examples.photo.dhash import NEAR, dhash, distance
from tasks.examples.photo.sample import paint


def encode(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def picture(seed: int = 1) -> Image.Image:
    return Image.open(io.BytesIO(paint(seed))).convert("RGB")


def failed(verdict: Verdict) -> dict[str, str]:
    return {found["check"]: found["text"] for found in verdict.findings if not found["ok"]}


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes that would be width by height pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "name"), [("JPEG", "a.JPG"), ("PNG", "a.png"), ("WEBP", "a.webp")]
)
def test_a_good_picture_is_accepted(kind: str, name: str) -> None:
    verdict = check(encode(picture(), kind), name)
    assert verdict.accepted, verdict.findings
    assert verdict.fingerprint is not None


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        pytest.param(b"", "a.jpg", "empty", id="empty"),
        pytest.param(b"hello, world" * 99, "a.jpg", "not a JPEG, PNG or WEBP", id="text"),
        pytest.param(b"<svg><script>alert(1)</script></svg>", "a.svg", "SVG", id="svg"),
        pytest.param(b"\xff\xd8\xff\xe0", "a.jpg", "", id="jpeg-of-four-bytes"),
        pytest.param(paint(1)[:9000], "a.jpg", "broken: ", id="truncated"),
        pytest.param(paint(1), "a.png", "called .png, but it is a JPEG", id="wrong-extension"),
        pytest.param(paint(1), "photo", "has no extension", id="no-extension"),
        pytest.param(encode(Image.new("RGB", (640, 480)), "GIF"), "a.gif", "not a JPEG", id="gif"),
        pytest.param(png_that_claims(9000, 9000), "a.png", "more than 40 million", id="bomb"),
        pytest.param(png_that_claims(12000, 12000), "a.png", "far more pixels", id="bomb-warned"),
        pytest.param(png_that_claims(60000, 60000), "a.png", "far more pixels", id="bomb-error"),
        pytest.param(encode(picture().resize((90, 60))), "a.jpg", "under 200", id="small"),
        pytest.param(encode(Image.new("RGB", (640, 480), "red")), "a.jpg", "sharp from", id="flat"),
    ],
)
def test_what_is_not_a_good_picture_is_told_why(content: bytes, name: str, why: str) -> None:
    verdict = check(content, name)
    assert not verdict.accepted
    assert why in "; ".join(failed(verdict).values())


def test_a_bomb_is_never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(self: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    check(png_that_claims(9000, 9000), "a.png")


def test_damage_anywhere_is_a_verdict() -> None:
    """Bytes flipped and files cut at random places, always the same: nothing is ever raised."""
    draw = random.Random(4)
    small = picture().resize((240, 220))
    for kind in ("JPEG", "PNG", "WEBP"):
        whole = encode(small, kind)
        for _ in range(60):
            damaged = bytearray(whole)
            for _ in range(draw.randrange(1, 12)):
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
            assert check(bytes(damaged[: draw.randrange(len(damaged))]), "a.jpg").findings
            assert check(bytes(damaged), "a.jpg").findings


def test_blur_is_seen() -> None:
    sharp, blurred = picture(), picture().filter(ImageFilter.GaussianBlur(6))
    assert "sharpness" not in failed(check(encode(sharp), "a.jpg"))
    assert "sharpness" in failed(check(encode(blurred), "a.jpg"))


def test_near_duplicates_are_near_and_others_are_not() -> None:
    original = dhash(picture(1))
    copies = [
        picture(1).resize((400, 267)),
        Image.open(io.BytesIO(encode(picture(1), quality=20))),
        picture(1).point(lambda value: min(255, int(value * 1.15))),
    ]
    assert [distance(original, dhash(copy)) <= NEAR for copy in copies] == [True] * 3
    assert all(distance(original, dhash(picture(seed))) > NEAR for seed in range(2, 12))


def test_formats_and_limits_are_said() -> None:
    assert checks.MOST_PIXELS == 40_000_000
    assert set(checks.FORMATS) == {"JPEG", "PNG", "WEBP"}
