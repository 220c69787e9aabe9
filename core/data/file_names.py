"""File names as tables write them: the files of a folder or zip in; which of them a cell means out.

A cell may give more folders than there are or none, leave the extension out, and be written in other capitals.
"""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from core.data.layout import path_words

PICTURE_SUFFIXES = frozenset(".jpg .jpeg .jpe .jfif .png .gif .webp .bmp .tif .tiff .heic .heif .avif".split())
Words = tuple[str, ...]


class FileNames:
    """Files, to be found by what a cell calls them. `loose` overlooks folders that differ and other extensions."""

    def __init__(self, files: Sequence[Words], *, loose: bool = False) -> None:
        self._loose = loose
        self._files = [_normal(words) for words in files]
        self._index: dict[tuple[bool, bool], dict[str, list[int]]] = {}
        for folded in (False, True):
            for stem in (False, True):
                self._index[folded, stem] = self._named(folded=folded, stem=stem)

    @property
    def count(self) -> int:
        """How many files there are."""
        return len(self._files)

    def _named(self, *, folded: bool, stem: bool) -> dict[str, list[int]]:
        found = defaultdict(list)
        for number, words in enumerate(self._files):
            name = os.path.splitext(words[-1])[0] if stem else words[-1]
            found[name.casefold() if folded else name].append(number)
        return found

    def find(self, cell: str) -> list[int]:
        """The numbers of the files that fit best: one that is found, none, or several that fit alike."""
        words = _normal(path_words(cell))
        if not words:
            return []
        for (folded, stem), index in self._index.items():
            key = _without_suffix(words[-1]) if self._loose and stem else words[-1]
            candidates = index.get(key.casefold() if folded else key, [])
            fits = {number: self._fit(words, number, folded=folded) for number in candidates}
            best = max(fits.values(), default=(-1, False))
            if best[0] >= 0:
                return [number for number in candidates if fits[number] == best]
        return []

    def _fit(self, words: Words, number: int, *, folded: bool) -> tuple[int, bool]:
        """How many folders agree, and whether all do; (-1, False) when one does not."""
        wanted, found = words[:-1], self._files[number][:-1]
        if folded:
            wanted, found = (tuple(word.casefold() for word in folders) for folders in (wanted, found))
        shared = min(len(wanted), len(found))
        if wanted[len(wanted) - shared :] != found[len(found) - shared :]:
            return (0, False) if self._loose else (-1, False)
        return shared, len(wanted) == len(found)


def is_picture_name(cell: str) -> bool:
    """Whether a cell ends like the name of a picture."""
    return os.path.splitext(cell.strip().lower())[1] in PICTURE_SUFFIXES


def _normal(words: Sequence[str]) -> Words:
    return tuple(unicodedata.normalize("NFC", word) for word in words)


def _without_suffix(name: str) -> str:
    return os.path.splitext(name)[0] if is_picture_name(name) else name
