"""A stored picture is known to the byte; nothing that carries anything else is ever kept as it is."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.data.decoder import Task, perform
from core.data.images import MAX_BYTES, encode, reencode
from core.data.samples.bears import draw_scene
from core.data.stored import is_stored_form, take_over
from core.errors import ImageRejected

END = b"\xff\xd9"
SCRIPT = b"<script>alert(1)</script>"


def noise(width: int = 60, height: int = 40, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def saved(image: Image.Image, form: str = "JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


GOOD = encode(noise()).jpeg


@pytest.mark.parametrize("size", [(8, 8), (33, 17), (512, 512), (8, 400), (512, 11)])
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (129, 128, 128), (200, 30, 40)])
@pytest.mark.parametrize(("quality", "subsampling"), [(90, "4:2:0"), (95, "4:4:4"), (75, "4:2:0"), (1, "4:4:4")])
def test_every_plain_picture_that_is_written_is_known_again(size, colour, quality, subsampling):
    made = encode(Image.new("RGB", size, colour), quality=quality, subsampling=subsampling)
    assert is_stored_form(made.jpeg) and take_over(made.jpeg) == made


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 90), st.integers(8, 90), st.integers(0, 9999), st.integers(1, 100), st.booleans())
def test_every_picture_that_is_written_is_known_again(width, height, seed, quality, smooth):
    image = noise(4, 4, seed).resize((width, height)) if smooth else noise(width, height, seed)
    assert is_stored_form(encode(image, quality=quality).jpeg)


def test_real_pictures_are_known_again():
    drawn = encode(draw_scene("grizzly", seed=3).image)
    assert is_stored_form(drawn.jpeg) and take_over(drawn.jpeg).sha == drawn.sha
    photo = reencode(saved(noise(900, 700), exif=Image.Exif(), comment=b"hello"))
    assert take_over(photo.jpeg) == photo


POLYGLOTS = {
    "behind the end": GOOD + SCRIPT,
    "behind the end, with an end": GOOD + SCRIPT + END,
    "behind the last pixel": GOOD[:-2] + SCRIPT + END,
    "behind the last pixel, with stuffing": GOOD[:-2] + b"\xff\0" + SCRIPT + b"\xff\0" + END,
    "stuffing before few bytes": GOOD[:-2] + b"abc\xff\0defg" + END,
    "a comment": GOOD[:2] + segment(0xFE, SCRIPT) + GOOD[2:],
    "a comment before the pixels": GOOD.replace(b"\xff\xda", segment(0xFE, SCRIPT) + b"\xff\xda", 1),
    "a comment between the pixels": GOOD[:2000] + segment(0xFE, SCRIPT) + GOOD[2000:],
    "metadata": saved(noise(), quality=90, exif=b"Exif\0\0" + SCRIPT),
    "a colour profile": saved(noise(), quality=90, icc_profile=SCRIPT * 9),
    "a comment of Pillow's": saved(noise(), quality=90, comment=SCRIPT),
    "a thumbnail in the first segment": GOOD[:2] + segment(0xE0, GOOD[6:18] + b"\1\1abc") + GOOD[20:],
    "a table of other numbers": GOOD[:30] + bytes(16) + GOOD[46:],
    "a second first segment": GOOD[:20] + GOOD[2:20] + GOOD[20:],
    "optimised tables": saved(noise(), quality=90, optimize=True),
    "several scans": saved(noise(), quality=90, progressive=True),
    "restart marks": saved(noise(), quality=90, restart_marker_blocks=2),
    "a second picture": saved(noise(), "MPO", quality=90, save_all=True, append_images=[noise(seed=1)]),
    "grey": saved(noise().convert("L"), quality=90),
    "four inks": saved(noise().convert("CMYK"), quality=90),
    "too large": encode(noise(513, 20)).jpeg,
    "too small": encode(noise(7, 20)).jpeg,
    "too long": encode(noise(8, 401)).jpeg,
    "another format": saved(noise(), "PNG"),
    "cut off": GOOD[:-200],
    "no pixels": GOOD[:619] + END,
    "nothing": b"",
    "the marks alone": b"\xff\xd8\xff\xc0\xff\xda" + END,
}


@pytest.mark.parametrize("data", POLYGLOTS.values(), ids=POLYGLOTS)
def test_anything_else_is_written_anew_or_refused(data):
    assert not is_stored_form(data)
    try:
        made = take_over(data)
    except ImageRejected:
        return
    assert made == reencode(data) and made.jpeg != data and SCRIPT not in made.jpeg


def test_a_picture_whose_pixels_spell_markup_is_written_anew():
    for word in (SCRIPT, b"<!DOCTYPE html>", b"<?php ?>", b"PK\x05\x06\0\0\0\0", b"%PDF-1.7"):
        data = GOOD[:1500] + word + GOOD[1500 + len(word) :]
        assert not is_stored_form(data)


@settings(max_examples=80, deadline=None)
@given(st.binary(min_size=4, max_size=60))
def test_nothing_can_hide_behind_the_last_pixel(extra):
    assert not is_stored_form(GOOD[:-2] + extra.replace(b"\xff", b"\xff\0") + END)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 618), st.integers(0, 255))
def test_no_byte_of_the_head_can_be_another_unless_it_is_the_size(place, value):
    other = GOOD[:place] + bytes((value,)) + GOOD[place + 1 :]
    frame = GOOD.index(b"\xff\xc0")
    if other != GOOD and not frame + 5 <= place < frame + 9:
        assert not is_stored_form(other)


def test_a_file_is_taken_over_like_its_bytes_and_an_endless_one_is_not_read(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(GOOD)
    assert take_over(path) == take_over(GOOD) == perform(Task("stored", data=path))
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ImageRejected, match="up to 50 MB"):
        take_over(path)
