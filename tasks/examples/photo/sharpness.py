"""How sharp a picture is: the variance of its Laplacian.

Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (2000). A blurred picture has
no edges, so its second derivative hardly varies.
"""

from typing import Final

from PIL import Image, ImageFilter, ImageStat

SIDE: Final = 512
"""Pixels of the longer side that is measured, so that the figure does not depend on the camera."""
SHARP: Final = 60.0

_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


def sharpness(image: Image.Image) -> float:
    """0 for one flat colour; some hundreds for a sharp photo."""
    grey = image.convert("L")
    grey.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return float(ImageStat.Stat(grey.filter(_LAPLACIAN)).var[0])
