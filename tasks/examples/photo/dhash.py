"""Near-duplicates by difference hash: which of two neighbours is brighter, 64 times.

The idea is Neal Krawetz's ("Kind of Like That", hackerfactor.com, 2013). It survives scaling,
recompression and small changes of colour.
"""

from typing import Final

from PIL import Image

BITS: Final = 64
NEAR: Final = 6
"""Two pictures that differ in at most this many bits are taken for the same."""


def dhash(image: Image.Image) -> int:
    """64 bits: 8 rows of 8 comparisons on a picture scaled to 9 by 8 grey pixels."""
    small = image.convert("L").resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            at = row * 9 + column
            bits = bits << 1 | (small[at] > small[at + 1])
    return bits


def distance(one: int, other: int) -> int:
    """Hamming distance, 0 to 64."""
    return (one ^ other).bit_count()
