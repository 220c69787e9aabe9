"""Colours of large pictures: converted band by band they are what they are converted as a whole."""

import numpy as np
import pytest
from PIL import Image

from core.data.colours import on_white, plain, plain_reduced, to_rgb


def ramps(width: int, height: int, channels: int) -> np.ndarray:
    across, down = np.linspace(0, 255, width), np.linspace(255, 0, height)
    planes = [across[None, :] + 0 * down[:, None], 0 * across[None, :] + down[:, None]]
    return np.stack([planes[channel % 2] for channel in range(channels)], axis=-1).astype(np.uint8)


def picture(mode: str, width: int = 517, height: int = 811) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(ramps(width, height, 1)[..., 0].astype(np.uint16) * 257)
    if mode == "RGB transparent":
        made = Image.fromarray(ramps(width, height, 3))
        made.info["transparency"] = (0, 255, 0)
        return made
    if mode == "P transparent":
        made = Image.fromarray(ramps(width, height, 3)).quantize(16)
        made.info["transparency"] = 3
        return made
    if mode in ("P", "1"):
        return Image.fromarray(ramps(width, height, 3)).convert(mode)
    return Image.fromarray(ramps(width, height, 4)).convert(mode)


MODES = ("L", "LA", "P", "P transparent", "1", "RGB", "RGB transparent", "RGBA", "CMYK", "I;16")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("factor", [2, 3, 5])
def test_band_by_band_gives_what_the_whole_gives(mode, factor):
    image = picture(mode)
    whole, bands = plain(image), plain_reduced(image, factor)
    if mode != "RGB":  # needs no conversion and is made smaller later
        assert bands.size == (-(-517 // factor), -(-811 // factor))
        whole = whole.reduce(factor)
    assert bands.mode == whole.mode
    assert np.abs(np.asarray(on_white(bands), int) - np.asarray(on_white(whole), int)).max() <= 2


@pytest.mark.parametrize("mode", MODES)
def test_a_small_picture_is_converted_as_a_whole(mode):
    assert plain_reduced(picture(mode), 1).tobytes() == plain(picture(mode)).tobytes()
    assert to_rgb(picture(mode)).mode == "RGB"
