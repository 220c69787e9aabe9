"""Opening pictures: every mode and orientation comes out right, and a hostile file gives a reason, never a crash."""

from __future__ import annotations

import hashlib
import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from core.data.colours import to_rgb
from core.data.images import ANIMATION_NOTE, MAX_BYTES, encode, fitted, open_image, reencode
from core.errors import ImageRejected

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 160, 0), (0, 0, 255), (255, 255, 255)


def packed(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def four_corners(width: int = 96, height: int = 64) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def corners_of(image: Image.Image) -> list[tuple[int, ...]]:
    width, height = image.size
    return [image.getpixel((x, y)) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]


def near(found, wanted, within: int = 12) -> bool:
    return all(abs(a - b) <= within for a, b in zip(np.ravel(found), np.ravel(wanted), strict=True))


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def code_of(data: bytes | Path) -> str:
    with pytest.raises(ImageRejected) as caught:
        reencode(data)
    assert caught.value.message.endswith(".") and caught.value.hint
    return caught.value.code


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of_size(width: int, height: int, *more: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


STORED_AS = {  # EXIF orientation -> how a camera would have stored the upright picture
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_every_exif_orientation_comes_out_upright(orientation, form):
    turn = STORED_AS[orientation]
    lying = four_corners() if turn is None else four_corners().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = packed(lying, form, exif=exif, quality=95)
    for image in (open_image(data), Image.open(io.BytesIO(reencode(data).jpeg))):
        assert image.size == (96, 64)
        assert near(corners_of(image), [RED, GREEN, BLUE, WHITE], within=25)


def test_damaged_exif_leaves_the_picture_as_it_lies():
    data = packed(four_corners(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0" * 9, quality=95)
    assert near(corners_of(open_image(data)), [RED, GREEN, BLUE, WHITE], within=25)


def alpha(mode: str, opaque) -> Image.Image:
    """Left half opaque, right half fully transparent."""
    image = Image.new(mode, (32, 16), opaque)
    clear = (*opaque[:-1], 0)
    image.paste(clear, (16, 0, 32, 16))
    return image


def palette(transparent: bool) -> Image.Image:
    image = Image.new("P", (32, 16), 1)
    image.putpalette([*BLUE, *RED])
    image.paste(0, (16, 0, 32, 16))
    if transparent:
        image.info["transparency"] = 0
    return image


def ramp16() -> Image.Image:
    return Image.fromarray(np.repeat(np.array([[0, 65535]], np.uint16), 16, axis=1).repeat(16, axis=0))


@pytest.mark.parametrize(
    ("image", "left", "right"),
    [
        (Image.new("L", (32, 16), 200), (200,) * 3, (200,) * 3),
        (alpha("LA", (40, 255)), (40,) * 3, WHITE),
        (alpha("RGBA", (255, 0, 0, 255)), RED, WHITE),
        (Image.new("RGBA", (32, 16), (0, 0, 0, 128)), (127,) * 3, (127,) * 3),
        (palette(transparent=False), RED, BLUE),
        (palette(transparent=True), RED, WHITE),
        (Image.new("1", (32, 16), 1), WHITE, WHITE),
        (Image.new("1", (32, 16), 0), (0, 0, 0), (0, 0, 0)),
        (ramp16(), (0, 0, 0), WHITE),
        (Image.fromarray(np.full((16, 32), 32896, np.uint16)), (128,) * 3, (128,) * 3),
    ],
    ids=[
        "grey",
        "grey+alpha",
        "rgba",
        "half",
        "palette",
        "palette+alpha",
        "white bit",
        "black bit",
        "16 bit",
        "16 mid",
    ],
)
def test_every_png_mode_keeps_its_colours_and_shows_transparency_as_white(image, left, right):
    for opened in (to_rgb(image), open_image(packed(image, "PNG"))):
        assert opened.mode == "RGB"
        assert near([opened.getpixel((4, 8)), opened.getpixel((28, 8))], [left, right], within=1)


@pytest.mark.parametrize(
    ("pixels", "wanted"),
    [
        (np.full((16, 16), 0.5, np.float32), 128),
        (np.full((16, 16), 200.0, np.float32), 200),
        (np.full((16, 16), 32896, np.int32), 128),
        (np.full((16, 16), 77, np.int32), 77),
    ],
)
def test_float_and_wide_grey_is_scaled(pixels, wanted):
    assert near(to_rgb(Image.fromarray(pixels)).getpixel((3, 3)), (wanted,) * 3, within=1)


def test_float_grey_of_any_range_is_stretched():
    pixels = np.linspace(-1000, 1000, 256, dtype=np.float32).reshape(16, 16)
    found = np.asarray(to_rgb(Image.fromarray(pixels)))
    assert (found.min(), found.max()) == (0, 255)


def test_cmyk_jpeg_has_right_colours():
    data = packed(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG", quality=95)
    assert near(open_image(data).getpixel((9, 9)), RED, within=10)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_picture_and_a_note(form):
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, BLUE, GREEN)]
    data = packed(frames[0], form, save_all=True, append_images=frames[1:], duration=50)
    made = reencode(data)
    assert made.note == ANIMATION_NOTE
    assert near(Image.open(io.BytesIO(made.jpeg)).getpixel((9, 9)), RED, within=25)
    assert reencode(packed(frames[0], form)).note == ""


def test_a_stereo_photo_is_an_ordinary_jpeg():
    data = packed(four_corners(), "MPO", save_all=True, append_images=[four_corners()])
    assert reencode(data).note == ""


def test_what_is_stored_is_a_clean_rgb_jpeg_named_by_its_hash():
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    exif[0x010E] = "taken at home"
    made = reencode(packed(noise(80, 60), "JPEG", exif=exif, comment=b"secret", icc_profile=b"profile" * 9))
    stored = Image.open(io.BytesIO(made.jpeg))
    assert (stored.format, stored.mode, stored.size) == ("JPEG", "RGB", (80, 60))
    assert (made.width, made.height) == stored.size
    assert made.sha == hashlib.sha256(made.jpeg).hexdigest()
    assert not dict(stored.getexif()) and set(stored.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"secret" not in made.jpeg and b"at home" not in made.jpeg


def test_no_script_of_a_polyglot_survives():
    script = b"<script>alert(1)</script>"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", script.decode())
    for data in (
        packed(noise(50, 50), "JPEG", comment=b"*/" + script) + b"<html>" + script,
        packed(noise(50, 50), "PNG", pnginfo=text) + script,
        packed(noise(50, 50), "GIF", comment=script) + script,
    ):
        assert script in data
        assert b"<script" not in reencode(data).jpeg


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(900, 601, (512, 342)), (333, 999, (171, 512)), (80, 60, (80, 60)), (512, 512, (512, 512)), (3000, 60, (512, 10))],
)
def test_the_longest_side_is_512_rounded_and_never_enlarged(width, height, size):
    made = reencode(packed(Image.new("RGB", (width, height), BLUE), "PNG"))
    assert (made.width, made.height) == size == fitted(width, height, 512)


@given(st.integers(1, 60_000), st.integers(1, 60_000), st.integers(1, 4096))
def test_fitted_sizes_are_never_empty_and_never_too_long(width, height, longest):
    fit = fitted(width, height, longest)
    assert min(fit) >= 1 and max(fit) <= max(longest, 1)
    assert fit == (width, height) or max(fit) == longest < max(width, height)


def test_reduced_decoding_looks_like_the_full_picture():
    photo = Image.fromarray(np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8))
    data = packed(photo.resize((2400, 1800), Image.Resampling.BICUBIC), "JPEG", quality=92)
    full = open_image(data).resize((512, 384), Image.Resampling.LANCZOS)
    quick = Image.open(io.BytesIO(reencode(data).jpeg))
    assert np.abs(np.asarray(full, int) - np.asarray(quick, int)).mean() < 4
    assert 300 <= max(open_image(data, longest_side=300).size) < 600
    assert open_image(data).size == (2400, 1800)


def test_the_same_pixels_give_the_same_bytes():
    data = packed(noise(700, 500), "PNG")
    assert reencode(data) == reencode(data)
    assert encode(noise(20, 20)).sha == encode(noise(20, 20)).sha


WEBP_BOMB = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (16382).to_bytes(3, "little") * 2 + b"\0" * 8
JPEG_BOMB = b"\xff\xd8\xff\xc0\0\x11\x08\xea\x60\xea\x60\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xd9"
GIF_BOMB = (
    b"GIF89a"
    + struct.pack("<HH", 60_000, 60_000)
    + b"\0\0\0,\0\0\0\0"
    + struct.pack("<HH", 60_000, 60_000)
    + b"\0\x02\0;"
)
BMP_BOMB = b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "data",
    [png_of_size(60_000, 60_000), png_of_size(20_000, 20_000), png_of_size(12_000, 12_000), png_of_size(7_100, 7_100)]
    + [WEBP_BOMB, JPEG_BOMB, GIF_BOMB, BMP_BOMB],
    ids=["3600 M", "400 M", "144 M", "50.4 M", "webp", "jpeg", "gif", "bmp"],
)
def test_a_pixel_bomb_is_refused_from_its_header(data):
    start = time.perf_counter()
    assert code_of(data) == "too_large"
    assert time.perf_counter() - start < 1


def test_the_sentence_about_a_large_picture_gives_the_size_and_the_limit():
    with pytest.raises(ImageRejected, match="12000 x 12000 pixels; up to 50 million"):
        open_image(png_of_size(12_000, 12_000))


def test_text_and_profile_bombs_are_refused():
    bomb = zlib.compress(b"\0" * 80_000_000, 9)
    start = time.perf_counter()
    assert code_of(png_of_size(50, 50, chunk(b"zTXt", b"Comment\0\0" + bomb))) == "damaged"
    assert code_of(png_of_size(50, 50, chunk(b"iCCP", b"icc\0\0" + bomb))) in ("damaged", "truncated")
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(("size", "code"), [((1, 1), "too_small"), ((7, 400), "too_small"), ((1, 65_000), "too_small")])
def test_tiny_pictures_are_refused(size, code):
    assert code_of(packed(Image.new("L", size), "PNG")) == code


def test_very_long_pictures_are_refused():
    assert code_of(packed(Image.new("L", (8, 401)), "PNG")) == "too_long"
    assert reencode(packed(Image.new("L", (8, 400)), "PNG")).height == 400


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_picture_is_refused(form, share):
    data = packed(noise(200, 150), form)
    assert code_of(data[: int(len(data) * share)]) in ("truncated", "damaged", "not_a_picture")


def test_a_picture_cut_in_the_middle_is_called_cut_off():
    data = packed(noise(200, 150), "JPEG")
    assert code_of(data[: len(data) // 2]) == "truncated"


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [
        (b"", "empty", "empty"),
        (b"\xff\xd8\xff", "not_a_picture", ""),
        (b"\0" * 100, "not_a_picture", ""),
        (b"<!doctype html><title>Log in</title>", "not_a_picture", "web page"),
        (b"label,url\ncat,http://x\n", "not_a_picture", "text"),
        (b"\x89PNG\r\n\x1a\n", "truncated", ""),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "format", "SVG"),
        (b'<?xml version="1.0"?><svg></svg>', "format", "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "format", "PostScript"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "format", "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "format", "AVIF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "not_a_picture", "video"),
        (packed(Image.new("RGB", (20, 20)), "TIFF"), "format", "TIFF"),
        (packed(Image.new("RGB", (20, 20)), "ICO"), "format", "icon"),
        (packed(Image.new("RGB", (20, 20)), "PDF"), "not_a_picture", "PDF"),
        (b"PK\x03\x04rest of a zip", "not_a_picture", "zip"),
    ],
)
def test_what_is_not_a_picture_we_read_is_named(data, code, word):
    with pytest.raises(ImageRejected) as caught:
        reencode(data)
    assert word in caught.value.message
    assert caught.value.code == code or (code == "truncated" and caught.value.code in ("damaged", "not_a_picture"))
    assert "JPEG" in caught.value.hint or code == "empty" or caught.value.code == "truncated"


def test_a_png_named_jpg_is_read_and_an_eps_named_jpg_is_not(tmp_path):
    path = tmp_path / "picture.jpg"
    path.write_bytes(packed(noise(20, 20), "PNG"))
    assert open_image(path).size == (20, 20)
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    assert code_of(path) == "format"


def test_a_file_of_too_many_bytes_is_not_read(tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert code_of(path) == "too_many_bytes"


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "BMP"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12),
)
def test_flipped_bytes_give_a_picture_or_a_reason_and_nothing_else(form, changes):
    data = bytearray(packed(noise(24, 18), form))
    for place, value in changes:
        data[int(place * len(data))] = value
    try:
        made = reencode(bytes(data))
    except ImageRejected:
        return
    assert max(made.width, made.height) <= 512


def test_opening_leaves_the_warning_filters_and_pillow_as_they_were():
    import warnings

    before = (list(warnings.filters), Image.MAX_IMAGE_PIXELS)
    reencode(packed(noise(20, 20), "PNG"))
    assert (list(warnings.filters), Image.MAX_IMAGE_PIXELS) == before
