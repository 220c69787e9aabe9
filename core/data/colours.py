"""Colours: a Pillow picture of any mode in, RGB out. Transparency on white, 16-bit and float grey scaled to 0..255."""

from __future__ import annotations

from PIL import Image

_BAND_ROWS = 64  # of the reduced picture


def to_rgb(image: Image.Image) -> Image.Image:
    """Any Pillow picture as RGB: transparency on white, 16-bit and float grey scaled to 0..255."""
    return on_white(plain(image))


def plain(image: Image.Image) -> Image.Image:
    """The picture in mode RGB, or RGBA where it has transparency."""
    if image.mode == "F":
        return _float_grey(image).convert("RGB")
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _wide_grey(image).convert("RGB")
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == wanted else image.convert(wanted)


def plain_reduced(image: Image.Image, factor: int) -> Image.Image:
    """`plain` of a large picture made smaller by a whole `factor`, band by band: a copy of all of it needs no room."""
    nothing_to_do = image.mode == "RGB" and not image.has_transparency_data
    if factor < 2 or nothing_to_do or image.mode in ("I", "F"):  # there the range of all values decides
        return plain(image)
    width, height = image.size
    rows = factor * _BAND_ROWS
    tops = range(0, height, rows)
    bands = (plain(image.crop((0, top, width, min(height, top + rows)))).reduce(factor) for top in tops)
    reduced: Image.Image | None = None
    for top, band in zip(tops, bands, strict=True):
        reduced = reduced or Image.new(band.mode, (-(-width // factor), -(-height // factor)))
        reduced.paste(band, (0, top // factor))
    return reduced or plain(image)


def _wide_grey(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit: 65535 -> 255 (a plain conversion would turn everything above 255 white)."""
    wide = image.convert("I")
    low, high = wide.getextrema()
    if image.mode == "I" and 0 <= low and high <= 255:
        return wide.convert("L")
    return wide.point(lambda value: value * (1 / 257) + 0.5).convert("L")


def _float_grey(image: Image.Image) -> Image.Image:
    """Float grey as 8-bit: 0..1 and 0..255 are kept as such, any other range is stretched."""
    low, high = image.getextrema()
    if 0 <= low and 1 < high <= 255:
        return image.convert("L")
    low, high = (0.0, 1.0) if 0 <= low and high <= 1 else (low, high)
    scale = 255 / (high - low) if high > low else 0.0
    return image.point(lambda value: value * scale + (0.5 - low * scale)).convert("L")


def on_white(image: Image.Image) -> Image.Image:
    """A picture of mode RGBA on white, as RGB; any other as it is."""
    if image.mode != "RGBA":
        return image
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas
