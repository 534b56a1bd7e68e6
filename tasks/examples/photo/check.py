"""The check of a photo: bytes in, findings out. Never raises for what the bytes are."""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

from PIL import Image, UnidentifiedImageError

from tasks.examples.photo.dhash import dhash
from tasks.examples.photo.sharpness import SHARP, sharpness

FORMATS: Final = {
    "JPEG": (".jpg", ".jpeg", ".jfif"),
    "PNG": (".png",),
    "WEBP": (".webp",),
}
SMALLEST: Final = 200
"""Pixels of the shorter side."""
MOST_PIXELS: Final = 40_000_000
"""Pixels in all. 40 million are 160 MB once decoded; a file of 100 kB can claim a hundred times
as many (a decompression bomb), so the header is read first."""

_BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError),
    *(struct.error, zlib.error),
)
"""What Pillow's decoders raise on bytes that are not what they claim."""


@dataclass
class Verdict:
    """What was found, check by check. `fingerprint` is a dHash, None if it did not come so far."""

    findings: list[dict[str, Any]] = field(default_factory=list)
    fingerprint: int | None = None

    def note(self, check: str, ok: bool, text: str) -> bool:
        self.findings.append({"check": check, "ok": ok, "text": text})
        return ok

    @property
    def accepted(self) -> bool:
        return bool(self.findings) and all(finding["ok"] for finding in self.findings)


def check(content: bytes, name: str) -> Verdict:
    """Format, size, sharpness, fingerprint, in this order; stops where nothing more can be said."""
    verdict = Verdict()
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            # Only three decoders ever see a stranger's bytes.
            image = Image.open(io.BytesIO(content), formats=list(FORMATS))
        except UnidentifiedImageError:
            verdict.note("format", False, _what_else(content))
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            verdict.note("size", False, "claims far more pixels than we decode")
        except _BROKEN as error:
            verdict.note("format", False, f"broken: {error}")
        else:
            with image:
                _look_at(image, name, verdict)
    return verdict


def _look_at(image: Image.Image, name: str, verdict: Verdict) -> None:
    kind, suffix = str(image.format), PurePath(name).suffix.lower()
    if suffix in FORMATS[kind]:
        verdict.note("format", True, kind)
    else:
        called = f"called {suffix}" if suffix else "has no extension"
        verdict.note("format", False, f"{called}, but it is a {kind}")
    width, height = image.size
    said = f"{width} by {height} pixels"
    if width * height > MOST_PIXELS:
        verdict.note("size", False, f"{said}, more than {MOST_PIXELS // 10**6} million")
        return
    fits = min(width, height) >= SMALLEST
    verdict.note("size", fits, said if fits else f"{said}, under {SMALLEST} on a side")
    try:
        image.load()
    except _BROKEN as error:
        verdict.note("content", False, f"broken: {error}")
        return
    found = sharpness(image)
    verdict.note("sharpness", found >= SHARP, f"{found:.0f} (sharp from {SHARP:.0f})")
    verdict.fingerprint = dhash(image)


def _what_else(content: bytes) -> str:
    if not content:
        return "the file is empty"
    if b"<svg" in content[:4096].lower():
        return "SVG: it can carry scripts, so it is not accepted"
    return f"not a {', '.join(list(FORMATS)[:-1])} or {list(FORMATS)[-1]} picture"
