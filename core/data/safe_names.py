"""Names for files on somebody else's computer: any text in, one word of a path out that every system takes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from core.data.layout import is_junk, shown

NAME_MAX = 80  # characters, and twice as many bytes
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\..*)?", re.IGNORECASE)
_NOT_ALLOWED = re.compile(r'[<>:"/\\|?*%\ufffd]')


def safe_name(text: str, *, most: int = NAME_MAX) -> str:
    """A file's or a folder's name that is never a path, hidden, reserved, an option or too long.

    `safe_name("../a:b.") == "_._a_b"`.
    """
    clean = _NOT_ALLOWED.sub("_", shown(unicodedata.normalize("NFC", text)))
    clean = " ".join(clean.split())[:most]
    clean = clean.encode()[: 2 * most].decode(errors="ignore").rstrip(" .")
    if not clean or clean[0] in "-~." or is_junk((clean,)) or _RESERVED.fullmatch(clean):
        return f"_{clean[1:] if clean[:1] in '-~.' else clean}"
    return clean


def unique_names(texts: Iterable[str]) -> dict[str, str]:
    """A safe name for each text, different from all others where capitals and accents do not count.

    `unique_names(["Cat", "cat"]) == {"Cat": "Cat", "cat": "cat-2"}`.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for text in texts:
        base = name = safe_name(text)
        count = 1
        while _key(name) in taken:
            count += 1
            name = f"{base}-{count}"
        taken.add(_key(name))
        names[text] = name
    return names


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
