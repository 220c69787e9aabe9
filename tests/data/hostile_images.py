"""A corpus of pictures as they come from the world: bytes, and what must become of them."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, PngImagePlugin

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 160, 0), (0, 0, 255), (255, 255, 255)
CORNERS = (RED, GREEN, BLUE, WHITE)
GREYS = tuple((value,) * 3 for value in (0, 85, 170, 255))
SCRIPT = b"<script>alert(1)</script>"
SIZE = (96, 64)


@dataclass(frozen=True)
class Case:
    """`codes` with one of which it is refused, or the colours of its four quarters, upright; `size` when it is read."""

    data: bytes
    codes: tuple[str, ...] = ()
    corners: tuple[tuple[int, int, int], ...] = CORNERS
    size: tuple[int, int] = SIZE


def packed(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def quarters(colours, mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """Four colours: top left, top right, bottom left, bottom right."""
    width, height = size
    image = Image.new(mode, size, colours[3])
    image.paste(colours[0], (0, 0, width // 2, height // 2))
    image.paste(colours[1], (width // 2, 0, width, height // 2))
    image.paste(colours[2], (0, height // 2, width // 2, height))
    return image


def lying(orientation: int) -> Image.Image:
    """The picture as a camera stores it that was held so."""
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # of Image.Transpose
    upright = quarters(CORNERS)
    return upright.transpose(Image.Transpose(turns[orientation])) if orientation > 1 else upright


def exif(orientation: int, *, gps: bool = False) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    if gps:
        made[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    return made


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *, depth: int = 8, kind: int = 0, rows=None, more: bytes = b"", raw=None) -> bytes:
    """A PNG written by hand: `rows` are unfiltered lines, `raw` what is packed instead of them."""
    packer, body = zlib.compressobj(1), b""
    if raw is None:
        body = b"".join([packer.compress(b"\0" + row) for row in rows or ()]) + packer.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    data = chunk(b"IDAT", body if raw is None else raw)
    return b"\x89PNG\r\n\x1a\n" + head + more + data + chunk(b"IEND", b"")


def wide_rgb() -> bytes:
    """16 bits per colour."""
    values = np.asarray(quarters(CORNERS)).astype(">u2") * 257
    return png(*SIZE, depth=16, kind=2, rows=[row.tobytes() for row in values])


def large_quarters(kind: int, depth: int, values) -> bytes:
    """49 million pixels in four quarters that fit into a few kilobytes."""
    side, half = 7000, 3500
    rows = [values[0] * half + values[1] * half, values[2] * half + values[3] * half]
    return png(side, side, depth=depth, kind=kind, rows=(rows[place >= half] for place in range(side)))


def turned() -> dict[str, Case]:
    cases = {f"turned {o} as JPEG": Case(packed(lying(o), "JPEG", exif=exif(o), quality=95)) for o in range(1, 9)}
    cases["turned 6 as PNG"] = Case(packed(lying(6), "PNG", exif=exif(6)))
    cases["turned 8 as WebP"] = Case(packed(lying(8), "WEBP", exif=exif(8), quality=95))
    cases["an orientation that does not exist"] = Case(packed(lying(1), "JPEG", exif=exif(99), quality=95))
    broken = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0" * 9
    cases["broken metadata"] = Case(packed(lying(1), "JPEG", exif=broken, quality=95))
    return cases


def modes() -> dict[str, Case]:
    rgb = quarters(CORNERS)
    clear = quarters((*((*colour, 255) for colour in CORNERS[:3]), (9, 9, 9, 0)), "RGBA")
    palette = Image.new("P", SIZE, 3)
    palette.putpalette([*RED, *GREEN, *BLUE, 255, 0, 255])
    for place, box in enumerate(((0, 0, 48, 32), (48, 0, 96, 32), (0, 32, 48, 64))):
        palette.paste(place, box)
    keyed = quarters((RED, GREEN, BLUE, (250, 1, 250)))
    inks = quarters(((0, 255, 255, 0), (255, 0, 255, 95), (255, 255, 0, 0), (0, 0, 0, 0)), "CMYK")
    wide = Image.fromarray(np.asarray(quarters([grey[0] for grey in GREYS], "L")).astype(np.uint16) * 257)
    grey = quarters([value[0] for value in GREYS], "L")
    half = quarters([(value[0], 255) for value in GREYS[:3]] + [(0, 0)], "LA")
    return {
        "four inks": Case(packed(inks, "JPEG", quality=95)),
        "transparent": Case(packed(clear, "PNG")),
        "transparent WebP": Case(packed(clear, "WEBP", lossless=True)),
        "transparent palette": Case(packed(palette, "PNG", transparency=3)),
        "transparent GIF": Case(packed(palette, "GIF", transparency=3)),
        "one colour transparent": Case(packed(keyed, "PNG", transparency=(250, 1, 250))),
        "grey": Case(packed(grey, "JPEG", quality=95), corners=GREYS),
        "grey and transparent": Case(packed(half, "PNG"), corners=GREYS),
        "16 bits of grey": Case(packed(wide, "PNG"), corners=GREYS),
        "16 bits of each colour": Case(wide_rgb()),
        "one bit": Case(packed(quarters((0, 1, 1, 0), "1"), "PNG"), corners=((0,) * 3, WHITE, WHITE, (0,) * 3)),
        "a BMP": Case(packed(rgb, "BMP")),
        "a BMP with a palette": Case(packed(rgb.quantize(8), "BMP")),
    }


def disguises() -> dict[str, Case]:
    rgb, other = quarters(CORNERS), Image.new("RGB", SIZE, (20, 20, 20))
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SCRIPT.decode())
    film = {"save_all": True, "append_images": [other, other], "duration": 40}
    comment = packed(rgb, "JPEG", quality=95, comment=SCRIPT, exif=exif(1, gps=True))
    return {
        "an animated GIF": Case(packed(rgb, "GIF", **film)),
        "an animated WebP": Case(packed(rgb, "WEBP", quality=95, **film)),
        "an animated PNG": Case(packed(rgb, "PNG", **film)),
        "a stereo photo": Case(packed(rgb, "MPO", quality=95, save_all=True, append_images=[other])),
        "a progressive JPEG": Case(packed(rgb, "JPEG", quality=95, progressive=True)),
        "a JPEG that is a page": Case(comment + b"<html>" + SCRIPT),
        "a PNG that is a page": Case(packed(rgb, "PNG", pnginfo=text) + SCRIPT),
        "a GIF that is a page": Case(packed(rgb, "GIF", comment=SCRIPT) + SCRIPT),
        "a JPEG that is a zip": Case(packed(rgb, "JPEG", quality=95) + b"PK\x05\x06" + bytes(18)),
        "megabytes behind the end": Case(packed(rgb, "JPEG", quality=95) + b"\0" * 3_000_000),
        "a profile that lies": Case(packed(rgb, "JPEG", quality=95, icc_profile=b"profile" * 99)),
    }


def large() -> dict[str, Case]:
    """As large as may be, in the forms that take most memory."""
    black, size = (0, 0, 0), (512, 512)
    greys = [struct.pack(">H", grey[0] * 257) for grey in GREYS]
    alpha = (b"\0\xff", b"\xff\xff", b"\xff\xff", b"\0\0")
    bits = [b"\0" * 438 + b"\xff" * 437, b"\xff" * 438 + b"\0" * 437]
    by_bit = png(7000, 7000, depth=1, rows=(bits[row >= 3500] for row in range(7000)))
    flat = packed(Image.new("RGB", (4000, 4000), RED), "WEBP", lossless=True, method=0)
    return {
        "49 million with transparency": Case(large_quarters(4, 8, alpha), corners=(black, *(WHITE,) * 3), size=size),
        "49 million with 16 bits": Case(large_quarters(0, 16, greys), corners=GREYS, size=size),
        "49 million of one bit": Case(by_bit, corners=(black, WHITE, WHITE, black), size=size),
        "16 million as WebP": Case(flat, corners=(RED,) * 4, size=size),
    }


def bombs() -> dict[str, Case]:
    side = 60_000
    too_large = ("too_large",)
    webp = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (16382).to_bytes(3, "little") * 2 + b"\0" * 8
    jpeg = b"\xff\xd8\xff\xc0\0\x11\x08\xea\x60\xea\x60\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xd9"
    screen = struct.pack("<HH", side, side)
    gif = b"GIF89a" + screen + b"\0\0\0,\0\0\0\0" + screen + b"\0\x02\0;"
    bmp = b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    bomb = zlib.compress(b"\0" * 60_000_000, 9)
    wanted_too_much = packed(Image.new("RGB", (4400, 4400)), "WEBP", lossless=True, method=0)
    return {
        "3,600 million pixels": Case(png(side, side), too_large),
        "144 million pixels": Case(png(12_000, 12_000), too_large),
        "50.4 million pixels": Case(png(7_100, 7_100), too_large),
        "a WebP bomb": Case(webp, too_large),
        "a WebP that takes too much": Case(wanted_too_much, too_large),
        "a JPEG bomb": Case(jpeg, too_large),
        "a GIF bomb": Case(gif, too_large),
        "a BMP bomb": Case(bmp, too_large),
        "a bomb of text": Case(png(50, 50, more=chunk(b"zTXt", b"Comment\0\0" + bomb)), ("damaged",)),
        "a bomb of colours": Case(png(50, 50, more=chunk(b"iCCP", b"icc\0\0" + bomb)), ("damaged", "truncated")),
        "a bomb of pixels": Case(png(50, 50, raw=bomb), ("damaged", "truncated", "read")),
        "one pixel": Case(packed(Image.new("RGB", (1, 1)), "PNG"), ("too_small",)),
        "a line": Case(packed(Image.new("L", (1, 65_000)), "PNG"), ("too_small",)),
        "a ribbon": Case(packed(Image.new("L", (8, 401)), "PNG"), ("too_long",)),
        "no pixels": Case(png(0, 0), ("damaged", "not_a_picture", "too_small", "truncated")),
    }


def damaged() -> dict[str, Case]:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (150, 200, 3), dtype=np.uint8))
    cut = ("truncated", "damaged", "not_a_picture")
    cases = {
        f"a {form} cut off": Case(data[: len(data) // 2], cut)
        for form in ("JPEG", "PNG", "GIF", "WEBP", "BMP")
        for data in [packed(noise, form)]
    }
    whole = packed(noise, "PNG")
    place = whole.index(b"IDAT") + 40
    cases |= {
        "a wrong checksum": Case(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :], cut),
        "a head alone": Case(b"\x89PNG\r\n\x1a\n", cut),
        "three bytes": Case(b"\xff\xd8\xff", cut),
        "nothing": Case(b"", ("empty",)),
        "zeros": Case(b"\0" * 4096, ("not_a_picture",)),
        "chance": Case(np.random.default_rng(1).bytes(4096), ("not_a_picture",)),
    }
    return cases


def others() -> dict[str, Case]:
    form, no = ("format",), ("not_a_picture",)
    small = Image.new("RGB", (20, 20))
    return {
        "an SVG with a script": Case(b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', form),
        "PostScript": Case(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n", form),
        "HEIC": Case(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", form),
        "AVIF": Case(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", form),
        "TIFF": Case(packed(small, "TIFF"), form),
        "an icon": Case(packed(small, "ICO"), form),
        "PDF": Case(packed(small, "PDF"), no),
        "a web page": Case(b"<!doctype html><title>Log in</title>" + SCRIPT, no),
        "a zip": Case(b"PK\x03\x04 rest of a zip", no),
        "a film": Case(b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", no),
        "a program": Case(b"MZ\x90\0\x03\0\0\0" + bytes(99), no),
        "text": Case(b"label,url\ncat,http://x\n", no),
    }


def corpus() -> dict[str, Case]:
    """All cases by their names."""
    return turned() | modes() | disguises() | large() | bombs() | damaged() | others()
