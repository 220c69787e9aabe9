"""Hardened opening of pictures: bytes from anywhere in, an upright RGB picture or a small clean JPEG out.

Only a few formats are tried, the size is judged from the header before anything is decoded, and what is stored is
always a fresh JPEG, so that neither metadata (a phone writes down where you live) nor hidden payloads survive.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import PIL.WebPImagePlugin  # noqa: F401  without it Pillow would load all of its plugins to find this one
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from core.data.colours import on_white, plain_reduced
from core.errors import ImageRejected

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
LONGEST_SIDE = 512  # pixels
MIN_SIDE = 8  # pixels
MAX_PIXELS = 50_000_000
MAX_ASPECT = 50
MAX_MEMORY = 260 * 2**20  # of which a decoder may be known to need as much
MAX_BYTES = 50 * 2**20
QUALITY = 90
_REDUCING_GAP = 3.0  # a whole fraction first, to this many times the size that is wanted
ANIMATION_NOTE = "the first picture of an animation"
_SAVE_AS = "Save it as JPEG or PNG and import it again."
_READABLE = "Bearings reads JPEG, PNG, GIF, WebP and BMP."
_UPRIGHT = {  # EXIF orientation -> what brings the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Encoded:
    """A picture ready to be stored: `sha` is the SHA-256 of `jpeg`, sizes are in pixels, `note` may be empty."""

    sha: str
    jpeg: bytes
    width: int
    height: int
    note: str = ""

    @classmethod
    def of(cls, jpeg: bytes, width: int, height: int, *, note: str = "") -> Encoded:
        """Name a JPEG by its hash."""
        return cls(hashlib.sha256(jpeg).hexdigest(), jpeg, width, height, note)


def open_image(data: bytes | Path, *, longest_side: int | None = None) -> Image.Image:
    """The upright RGB picture in `data`, or ImageRejected with a code and a sentence.

    With `longest_side` a large photo may be decoded at a reduced scale, never smaller than that many pixels along its
    longer side (or than it is).
    """
    return _decode(_bytes_of(data), longest_side)[0]


def reencode(data: bytes | Path, *, longest_side: int = LONGEST_SIDE) -> Encoded:
    """A clean RGB JPEG of a picture: upright, no metadata, at most `longest_side` pixels, never enlarged."""
    image, note = _decode(_bytes_of(data), longest_side, shrink=True)
    return encode(image, note=note)


def encode(image: Image.Image, *, quality: int = QUALITY, subsampling: str = "4:2:0", note: str = "") -> Encoded:
    """An RGB picture as a JPEG without metadata; the same pixels always give the same bytes."""
    buffer = io.BytesIO()
    clean = image.copy()
    clean.info = {}  # Pillow would write comments and profiles found here into the file
    clean.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return Encoded.of(buffer.getvalue(), *image.size, note=note)


def fitted(width: int, height: int, longest_side: int) -> tuple[int, int]:
    """The size with its longer side at most `longest_side`, rounded, never enlarged: (900, 601, 500) -> (500, 334)."""
    longer = max(width, height)
    if longer <= longest_side:
        return width, height
    return max(1, round(width * longest_side / longer)), max(1, round(height * longest_side / longer))


def _bytes_of(data: bytes | Path) -> bytes:
    size = data.stat().st_size if isinstance(data, Path) else len(data)
    if size > MAX_BYTES:
        raise ImageRejected(
            "too_many_bytes",
            f"The file has {size / 2**20:.0f} MB; a picture may have up to {MAX_BYTES // 2**20} MB.",
            hint=_SAVE_AS,
        )
    return data.read_bytes() if isinstance(data, Path) else data


def _decode(data: bytes, longest_side: int | None, *, shrink: bool = False) -> tuple[Image.Image, str]:
    if not data:
        raise ImageRejected("empty", "The file is empty.", hint="Copy it again from where it came.")
    _check_size(*(_webp_size(data) or (MIN_SIDE, MIN_SIDE)))
    with _readable(data), _quiet(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
        _check_size(*image.size)
        _check_memory(image)
        note = ANIMATION_NOTE if image.format != "MPO" and getattr(image, "is_animated", False) else ""
        if longest_side is not None:
            image.draft(None, fitted(*image.size, longest_side))
        image.load()
        turn = _UPRIGHT.get(_orientation(image))
        longest = longest_side if shrink and longest_side is not None else max(image.size)
        picture = plain_reduced(image, int(max(image.size) / longest / _REDUCING_GAP))
        picture = on_white(_shrunk(picture, image.size, longest))
        return (picture if turn is None else picture.transpose(turn)), note


def _shrunk(image: Image.Image, original: tuple[int, int], longest_side: int) -> Image.Image:
    size = fitted(*original, longest_side)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Pillow's warnings about odd files to ourselves: the import report says what matters."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\b")
        yield


@contextlib.contextmanager
def _readable(data: bytes) -> Iterator[None]:
    """Turn whatever a damaged or hostile file makes Pillow raise into ImageRejected."""
    try:
        yield
    except ImageRejected:
        raise
    except UnidentifiedImageError as error:
        raise _not_read(data) from error
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except MemoryError as error:
        raise ImageRejected("memory", "Opening this picture needs too much memory.", hint=_SAVE_AS) from error
    except Exception as error:  # decoders raise nearly anything on damaged files: OSError, SyntaxError, struct.error, …
        truncated = "truncated" in str(error).lower() or isinstance(error, EOFError)
        if truncated:
            raise ImageRejected(
                "truncated", "The picture is cut off before its end.", hint="Copy or download it again."
            ) from error
        raise ImageRejected("damaged", "The picture is damaged and cannot be decoded.", hint=_SAVE_AS) from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large(width, height)
    if min(width, height) < MIN_SIDE:
        raise ImageRejected(
            "too_small",
            f"The picture has {width} x {height} pixels; each side needs {MIN_SIDE} or more.",
            hint="Use a larger copy.",
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageRejected(
            "too_long",
            f"The picture has {width} x {height} pixels; one side may be at most {MAX_ASPECT} times the other.",
            hint="Crop it to the part that matters.",
        )


def _check_memory(image: ImageFile) -> None:
    """Refuse what takes far more memory to decode than its pixels do, whatever size is wanted in the end."""
    bytes_per_pixel = 4.0  # a picture in memory
    if image.format == "WEBP":
        bytes_per_pixel = 16.0  # two canvases for animations, the pixels as bytes, and the picture
    elif image.info.get("progressive"):  # a progressive JPEG is unpacked as a whole before it is made smaller
        shares = [across * down for _, across, down, _ in getattr(image, "layer", ())]
        bytes_per_pixel = 2.0 * sum(shares) / max(shares, default=1)
    needed = bytes_per_pixel * image.size[0] * image.size[1]
    if needed > MAX_MEMORY:
        kind = "WebP" if image.format == "WEBP" else "progressive JPEG"
        raise ImageRejected(
            "too_large",
            f"A {kind} with {image.size[0]} x {image.size[1]} pixels needs {needed / 2**20:.0f} MB to be opened; "
            f"up to {MAX_MEMORY // 2**20} MB are used.",
            hint="Make it smaller, or save it as an ordinary JPEG.",
        )


def _too_large(width: int = 0, height: int = 0) -> ImageRejected:
    found = f"The picture has {width} x {height} pixels" if width else "The picture has more pixels than fit in memory"
    return ImageRejected(
        "too_large",
        f"{found}; up to {MAX_PIXELS // 1_000_000} million are allowed.",
        hint="Make it smaller and import it again.",
    )


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Size from a WebP header: its decoder takes memory for the whole canvas before Pillow knows the size."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # damaged EXIF raises nearly anything; the pixels are fine, so the picture stays as it lies
        return 1


_SIGNATURES = (  # (offset, bytes, what it is)
    (0, b"II*\0", "a TIFF picture"),
    (0, b"MM\0*", "a TIFF picture"),
    (4, b"ftypavi", "an AVIF picture"),
    (4, b"ftyphei", "a HEIC picture from a phone"),
    (4, b"ftyphev", "a HEIC picture from a phone"),
    (4, b"ftypmif1", "a HEIC picture from a phone"),
    (4, b"ftypmsf1", "a HEIC picture from a phone"),
    (4, b"ftyp", "a video"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript drawing"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"PK\x03\x04", "a zip file"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\0\0\1\0", "an icon file"),
)
_CONVERTIBLE = ("picture", "drawing", "Photoshop", "icon")


def _not_read(data: bytes) -> ImageRejected:
    """Say what the file is instead of a picture we read."""
    what = next((what for at, mark, what in _SIGNATURES if data[at : at + len(mark)] == mark), None)
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml")) and b"<svg" in head:
        what = "an SVG drawing"
    elif head.startswith(b"<"):
        what = "a web page"
    elif what is None and _is_text(data[:1024]):
        what = "a text file"
    if what is None:
        return ImageRejected("not_a_picture", "The file is not a picture.", hint=_READABLE)
    hint = _SAVE_AS if any(word in what for word in _CONVERTIBLE) else _READABLE
    code = "format" if hint == _SAVE_AS else "not_a_picture"
    return ImageRejected(code, f"The file is {what}; it is not read here.", hint=hint)


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8", errors="strict" if len(head) < 1024 else "ignore")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\r\n" for character in text)
