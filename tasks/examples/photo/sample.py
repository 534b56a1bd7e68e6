"""A picture for those who have none at hand: hills under a sun, other ones each time."""

import io
import random

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 960, 640


def paint(seed: int | None = None) -> bytes:
    """A JPEG of 960 by 640 pixels."""
    draw = random.Random(seed)
    top = tuple(draw.randrange(40, 200) for _ in range(3))
    sky = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    if draw.random() < 0.5:
        sky = sky.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    image = Image.composite(
        Image.new("RGB", (WIDTH, HEIGHT), (250, 225, 190)),
        Image.new("RGB", (WIDTH, HEIGHT), top),
        sky,
    )
    pen = ImageDraw.Draw(image)
    x, y, radius = draw.randrange(WIDTH), draw.randrange(HEIGHT // 2), draw.randrange(40, 120)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 240, 200))
    for layer in range(3):
        colour = tuple(draw.randrange(20, 130) for _ in range(3))
        base = HEIGHT * (layer + 2) // 5
        ridge = [(at, base + draw.randrange(-140, 140)) for at in range(0, WIDTH + 1, WIDTH // 12)]
        pen.polygon([(0, HEIGHT), *ridge, (WIDTH, HEIGHT)], fill=colour)
    for _ in range(600):  # trees: edges, so that it is sharp
        x, y = draw.randrange(WIDTH), draw.randrange(HEIGHT // 2, HEIGHT)
        shade = draw.randrange(10, 90)
        pen.line(
            (x, y, x, y - draw.randrange(8, 30)), fill=(shade // 2, shade, shade // 2), width=2
        )
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()
