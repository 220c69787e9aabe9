"""Drawn stand-ins for photos: a seed in, a picture with light, shapes and grain out, each unlike the others."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A sky of soft colours, a dozen shapes, and grain that gets finer to the front."""
    rng = np.random.default_rng([2024, seed])
    small = rng.integers(40, 216, (5, 6, 3)).astype(np.uint8)
    picture = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    width, height = size
    for _ in range(14):
        x, y = rng.uniform(-0.1, 0.9, 2) * size
        wide, high = rng.uniform(0.05, 0.35, 2) * size
        colour = tuple(int(value) for value in rng.integers(20, 236, 3))
        draw = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        draw((x, y, x + wide, y + high), fill=colour)
    grain = rng.normal(0, 14, (height // 2, width // 2)).repeat(2, 0).repeat(2, 1)[..., None]
    grain = grain * np.linspace(0.3, 1, height // 2 * 2)[:, None, None]
    pixels = np.asarray(picture, dtype=float)[: height // 2 * 2, : width // 2 * 2] + grain
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    """The bytes of a JPEG."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def saved_again(picture: Image.Image, quality: int = 40) -> Image.Image:
    """As it looks after a hard JPEG."""
    return Image.open(io.BytesIO(jpeg(picture, quality))).convert("RGB")


def shrunk(picture: Image.Image, scale: float = 0.4) -> Image.Image:
    """Fewer pixels."""
    return picture.resize([round(side * scale) for side in picture.size], Image.Resampling.LANCZOS)


def cropped(picture: Image.Image, left: float = 0.05, top: float = 0.0, right: float = 0.02, bottom: float = 0.05):
    """Without these parts at its edges."""
    width, height = picture.size
    return picture.crop(
        (round(left * width), round(top * height), width - round(right * width), height - round(bottom * height))
    )


def lit(picture: Image.Image, factor: float = 1.15) -> Image.Image:
    """Brighter or darker."""
    return ImageEnhance.Brightness(picture).enhance(factor)


def mirrored(picture: Image.Image) -> Image.Image:
    """Left and right exchanged."""
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def out_of_focus(picture: Image.Image, pixels: float = 4.0) -> Image.Image:
    """Blurred alike in all directions."""
    return picture.filter(ImageFilter.GaussianBlur(pixels))


def shaken(picture: Image.Image, pixels: int = 12) -> Image.Image:
    """Blurred sideways, as by a hand that moved."""
    moved = [np.roll(np.asarray(picture, dtype=float), step, axis=1) for step in range(pixels)]
    return Image.fromarray(np.mean(moved, axis=0).astype(np.uint8))
