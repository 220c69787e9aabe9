"""Names to labels: the paths inside a folder or a zip in, one label and one side per picture out.

Two layouts are read: `class/…` and `train|valid/class/…`. Paths are only ever split into words here; no name and no
label becomes a path of the workspace.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from core.errors import DataError

LABEL_MAX = 64
MAX_CLASSES = 200
NAME_MAX = 255
TRAIN_WORDS = ("train", "training")
VALID_WORDS = ("valid", "val", "validation")
TEST_WORDS = ("test", "testing")
_JUNK = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "system volume information")
_DOCUMENTS = (
    ".txt .csv .tsv .json .jsonl .md .rst .html .htm .xml .yaml .yml .toml .ini .log .pdf .doc .docx .xls .xlsx"
)
_DOCUMENTS += (
    " .ppt .pptx .py .ipynb .js .css .sh .exe .dll .npy .npz .pkl .pt .pth .h5 .db .sqlite .mp4 .mov .avi .mp3 .wav"
)
_ARCHIVES = ".zip .tar .gz .tgz .bz2 .xz .7z .rar"
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_JOINERS = "\u200c\u200d"  # part of ordinary words in some scripts, and of emoji


@dataclass(frozen=True)
class Place:
    """Where a file belongs. `label` is None, with a `reason`, when it belongs nowhere; `split` None if not given."""

    label: str | None
    split: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Layout:
    """How the names of an import are read: the wrapping folders to drop and which top folders are sides."""

    wrapper: tuple[str, ...] = ()
    sides: tuple[tuple[str, str], ...] = ()  # (folder name, "train" | "valid" | "")
    notes: tuple[str, ...] = ()

    def place(self, parts: Sequence[str]) -> Place:
        """Where the file with these path words belongs."""
        if is_document(parts):
            return Place(None, reason=document_reason(parts))
        inner = parts[len(self.wrapper) :] if tuple(parts[: len(self.wrapper)]) == self.wrapper else ()
        split = None
        if self.sides and inner:
            split = dict(self.sides).get(inner[0])
            if split == "":
                return Place(None, reason=f"The folder {shown(inner[0])} is not used.")
            inner = inner[1:]
        if len(inner) < 2:
            return Place(None, reason="The file lies outside a class folder.")
        try:
            return Place(normalise_label(inner[0]), split)
        except DataError as error:
            return Place(None, reason=error.message)


def path_words(name: str) -> tuple[str, ...]:
    r"""The words of a path, whatever wrote it: drives, `.`, `..` and empty words are dropped.

    `path_words("..\\cat/1.jpg") == ("cat", "1.jpg")`.
    """
    words = [word for word in re.split(r"[\\/]", name.replace("\0", "")) if word.strip() not in ("", ".", "..")]
    if words and re.fullmatch(r"[A-Za-z]:", words[0]):
        words = words[1:]
    return tuple(words)


def is_junk(words: Sequence[str]) -> bool:
    """Whether a system wrote this file for itself (.DS_Store, __MACOSX, Thumbs.db, hidden files)."""
    return not words or any(word.startswith(".") or word.strip().casefold() in _JUNK for word in words)


def is_document(words: Sequence[str]) -> bool:
    """Whether the name says that this is no picture."""
    return PurePosixPath(words[-1].lower()).suffix in f"{_DOCUMENTS} {_ARCHIVES}".split()


def document_reason(words: Sequence[str]) -> str:
    """Why a document is not used, as a sentence."""
    suffix = PurePosixPath(words[-1].lower()).suffix
    if suffix in _ARCHIVES.split():
        return "An archive inside an import is not opened; unpack it first."
    return f"A {suffix} file is not a picture."


def normalise_label(text: str) -> str:
    """A class name as it is stored: NFKC, invisible characters dropped, blanks joined, 1 to 64 characters."""
    clean = " ".join(visible(unicodedata.normalize("NFKC", text)).split())
    clean = unicodedata.normalize("NFKC", clean)  # dropping characters can make new pairs
    if not clean or len(clean) > LABEL_MAX:
        raise DataError(
            f"A class name has 1 to {LABEL_MAX} visible characters; the folder {shown(text, most=40)!r} does not.",
            hint="Rename the folder.",
        )
    return clean


def shown(text: str, *, most: int = NAME_MAX) -> str:
    """A file's name fit to be written and shown: control, direction and broken characters become U+FFFD."""
    clean = "".join("\ufffd" if _is_invisible(character) else character for character in text)
    return clean if len(clean) <= most else f"{clean[: most // 2]}…{clean[-(most - most // 2 - 1) :]}"


def visible(text: str) -> str:
    """A text without characters that nobody sees or that turn its direction; tabs and line ends become blanks."""
    return "".join(" " if character in "\t\n\r" else character for character in text if _keeps(character))


def _keeps(character: str) -> bool:
    return character in "\t\n\r" or not _is_invisible(character)


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE and character not in _JOINERS


def read_layout(files: Iterable[Sequence[str]], *, what: str) -> Layout:
    """Find the layout of an import from the path words of its files; `what` names it in the sentences.

    A folder that wraps everything is unwrapped. DataError when there are no class folders, one class or too many.
    """
    pictures = [tuple(words) for words in files if not is_document(words)]
    if not pictures:
        raise DataError(f"{what} holds no pictures.", hint="Make one sub-folder per class and put pictures into it.")
    layout = look_at(pictures)
    _check_classes(layout, pictures, what)
    deepest = max(len(words) for words in pictures) - len(layout.wrapper) - bool(layout.sides)
    if deepest > 2:
        return replace(layout, notes=(*layout.notes, "Folders inside a class folder count for that class."))
    return layout


def look_at(pictures: Sequence[Sequence[str]]) -> Layout:
    """The wrapping folders and the sides of some pictures, whether or not there are class folders."""
    files = [tuple(words) for words in pictures]
    if not files:
        return Layout()
    wrapper = _wrapper(files)
    inner = [words[len(wrapper) :] for words in files]
    sides = _sides(inner)
    return Layout(wrapper, tuple(sides.items()), tuple(_notes(inner, sides)))


def _wrapper(pictures: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The folders around everything: `photos/cat/1.jpg`, `photos/dog/2.jpg` -> ("photos",)."""
    depth = 0
    while True:
        tops = {words[depth] for words in pictures if len(words) > depth + 1}
        loose = any(len(words) == depth + 1 for words in pictures)
        deeper = any(len(words) > depth + 2 for words in pictures)
        if len(tops) != 1 or loose or not deeper or _side(next(iter(tops))) is not None:
            return pictures[0][:depth]
        depth += 1


def _side(folder: str) -> str | None:
    word = folder.strip().casefold()
    for side, words in (("train", TRAIN_WORDS), ("valid", VALID_WORDS), ("test", TEST_WORDS)):
        if word in words:
            return side
    return None


def _sides(pictures: Sequence[tuple[str, ...]]) -> dict[str, str]:
    """Top folders that are sides; {} when they are classes, as in `train/…`, `car/…`, `bus/…`."""
    folders = sorted({words[0] for words in pictures if len(words) > 1})
    roles = {folder: _side(folder) for folder in folders}
    if None in roles.values() or "train" not in roles.values():
        return {}
    has_valid = "valid" in roles.values()
    return {folder: ("" if has_valid else "valid") if role == "test" else role or "" for folder, role in roles.items()}


def _notes(pictures: Sequence[tuple[str, ...]], sides: dict[str, str]) -> list[str]:
    notes = []
    for folder, side in sides.items():
        if _side(folder) == "test" and side == "valid":
            notes.append(f"There is no validation folder, so {shown(folder)!r} is used for validation.")
        elif side == "":
            count = sum(words[0] == folder for words in pictures)
            notes.append(
                f"The folder {shown(folder)!r} with {count} files is not used: train and validation are given."
            )
    return notes


def _check_classes(layout: Layout, pictures: Sequence[tuple[str, ...]], what: str) -> None:
    places = [layout.place(words) for words in pictures]
    labels = Counter(place.label for place in places if place.label is not None)
    if not labels:
        reason = next((place.reason for place in places if place.reason), "")
        raise DataError(
            f"{what} has no class folders: {len(pictures)} files, and none lies in a folder that names its class. "
            f"{reason}".strip(),
            hint="Make one sub-folder per class, for example cat and dog.",
        )
    check_class_count(labels, what)


def check_class_count(labels: Iterable[str], what: str) -> None:
    """Raise DataError unless there are 2 to MAX_CLASSES classes."""
    found = sorted(set(labels))
    if len(found) < 2:
        raise DataError(
            f"{what} has pictures of 1 class only ({found[0]!r}); 2 or more are needed.",
            hint="Add a sub-folder with pictures of something else.",
        )
    if len(found) > MAX_CLASSES:
        raise DataError(
            f"{what} has {len(found)} class folders; up to {MAX_CLASSES} are allowed.",
            hint="Sort the pictures into one sub-folder per class.",
        )
