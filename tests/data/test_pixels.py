"""Pixels: the centre of a picture, in order, decoded once."""

import numpy as np
import pytest
import torch
from PIL import Image

from core.data.pixels import decode, decode_all, square
from core.errors import DataError


def test_a_wide_picture_keeps_its_centre():
    picture = np.zeros((40, 120, 3), np.uint8)
    picture[:, 40:80] = 255
    assert square(Image.fromarray(picture), 20)[:, 1:-1].min() == 255  # the filter reaches over the edge


def test_a_small_picture_is_enlarged_to_the_size():
    assert square(Image.new("RGB", (10, 16), "red"), 32).shape == (32, 32, 3)


def test_pictures_come_in_order_and_in_batches(tmp_path):
    paths = []
    for shade in range(0, 250, 10):
        paths.append(tmp_path / f"{shade}.jpg")
        Image.new("RGB", (50, 40), (shade,) * 3).save(paths[-1])
    batches = list(decode_all(paths, 16, batch=4))
    assert [len(batch) for batch in batches] == [4] * 6 + [1]
    pixels = torch.cat(batches)
    assert pixels.dtype == torch.uint8 and pixels.shape == (25, 3, 16, 16)
    assert torch.allclose(pixels.float().mean((1, 2, 3)), torch.arange(0.0, 250, 10), atol=2)


def test_a_damaged_picture_is_a_sentence(tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8 not much of a picture")
    with pytest.raises(DataError, match="missing or damaged"):
        decode(tmp_path / "x.jpg", 16)
    with pytest.raises(DataError, match="missing or damaged"):
        list(decode_all([tmp_path / "gone.jpg"], 16))
