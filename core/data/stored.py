"""Stored form: bytes in; whether they are a picture exactly as Bearings writes it, and so may be kept as they are.

An export that comes back should be the same data set, to the byte. But a file that looks like a stored picture may
carry something else in its comments, tables or behind its end. So nothing is kept but a plain JPEG whose head is known
word for word, whose body is pixels to the last byte, and which decodes; everything else is written anew.
"""

from __future__ import annotations

import functools
import io
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from core.data.images import LONGEST_SIDE, MAX_BYTES, Encoded, encode, open_image, reencode
from core.errors import ImageRejected

_FRAME, _SCAN, _END = b"\xff\xc0", b"\xff\xda", b"\xff\xd9"
_SIZE_AT = 5  # height and width in two bytes each, counted from the mark of the frame
_BLOCKS = {"4:2:0": (16, 16), "4:2:2": (16, 8), "4:4:4": (8, 8)}  # how many pixels are written together
_NOT_PIXELS = re.compile(rb"\xff[^\0]|\xff\Z")
_OTHER_FORMATS = re.compile(
    rb"<(script|!doctype|html|\?php|iframe|object|embed)|javascript:|%pdf-\d|PK\x05\x06\0\0\0\0", re.IGNORECASE
)
_LAST_BYTES = 4  # fewer could hide nothing that is worth hiding
_FLIPS = (0x55, 0x33, 0x0F, 0xF0, 0xFF)


@dataclass(frozen=True)
class _Parts:
    """A JPEG in pieces: what comes before its size, width and height, what comes before the pixels, the pixels."""

    front: bytes
    size: tuple[int, int]
    tables: bytes
    pixels: bytes

    @classmethod
    def of(cls, data: bytes) -> _Parts | None:
        """Cut a JPEG at the first mark of each kind; None when one is missing."""
        frame, scan = data.find(_FRAME), data.find(_SCAN)
        if not 0 < frame < scan - _SIZE_AT - 4 or not data.endswith(_END):
            return None
        start = scan + 2 + int.from_bytes(data[scan + 2 : scan + 4], "big")
        at = frame + _SIZE_AT
        height, width = struct.unpack(">HH", data[at : at + 4])
        return cls(data[:at], (width, height), data[at + 4 : start], data[start : -len(_END)])

    @property
    def head(self) -> tuple[bytes, bytes]:
        """All but size and pixels."""
        return self.front, self.tables

    def decoded(self) -> bytes:
        """The colours of all pixels."""
        width, height = self.size
        data = self.front + struct.pack(">HH", height, width) + self.tables + self.pixels + _END
        return open_image(data).tobytes()


def take_over(data: bytes | Path) -> Encoded:
    """The picture as it is when it is in stored form, otherwise written anew; ImageRejected when it cannot be used."""
    if isinstance(data, Path) and data.stat().st_size <= MAX_BYTES:
        data = data.read_bytes()
    if isinstance(data, Path) or not is_stored_form(data):
        return reencode(data)
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return Encoded.of(data, *image.size)


def is_stored_form(data: bytes) -> bool:
    """Whether `data` is a JPEG as `encode` writes it: its very head, pixels, the end, and nothing else anywhere.

    Any quality and any subsampling of colours will do. What pixels can hold (noise that spells a word) is refused
    only for words that make a browser or a viewer take the file for something else.
    """
    parts = _Parts.of(data)
    if parts is None or parts.head not in _heads() or max(parts.size) > LONGEST_SIDE:
        return False
    if _NOT_PIXELS.search(parts.pixels) or _OTHER_FORMATS.search(parts.pixels):
        return False
    try:
        open_image(data)
        return _ends_with_pixels(parts, *_heads()[parts.head])
    except ImageRejected:
        return False


@functools.cache
def _heads() -> Mapping[tuple[bytes, bytes], tuple[int, int]]:
    """What `encode` writes before the pixels, and how many pixels it then writes together."""
    tiny = Image.new("RGB", (8, 8))
    heads = {}
    for subsampling, block in _BLOCKS.items():
        for quality in range(1, 101):
            parts = _Parts.of(encode(tiny, quality=quality, subsampling=subsampling).jpeg)
            heads[parts.head if parts else (b"", b"")] = block
    return heads


def _ends_with_pixels(parts: _Parts, block_width: int, block_height: int) -> bool:
    """Whether the last bytes are pixels: other bytes there make another picture.

    What a file holds behind its last pixel is skipped when it is decoded, so it could be anything.
    """
    width, height = parts.size
    # the last pixels that are written may lie outside the picture: now they can be seen
    whole = replace(parts, size=(-(-width // block_width) * block_width, -(-height // block_height) * block_height))
    shown, place = whole.decoded(), max(0, len(parts.pixels) - _LAST_BYTES)
    if place and parts.pixels[place - 1] == 0xFF:  # it belongs to the zero after it
        place -= 1
    for flip in _FLIPS:  # one alone may change a white that cannot get any whiter
        other = bytes(0x7F if byte ^ flip == 0xFF else byte ^ flip for byte in parts.pixels[place:])
        try:
            if replace(whole, pixels=parts.pixels[:place] + other).decoded() != shown:
                return True
        except ImageRejected:  # it made a difference
            return True
    return False
