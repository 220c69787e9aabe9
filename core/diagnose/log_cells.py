"""The small pieces of a training log: text as people paste it in; lines, numbers and column names out.

Nothing is ever executed: a cell is a number or it is nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

NUMBER_CHARS = 64  # the longest cell that is looked at
_TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,500}(?:\x07|\x1b\\)?|\x1b[@-_]?")
_REDRAWN = re.compile(r"\r\n|[\r\x08]+|[\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = re.compile("[\ufeff\u200b-\u200f\u2060]")
_BLANK = re.compile(r"[\u00a0\u2000-\u200a\u202f\u3000]")
_CELL_END, _ROW_END = re.compile(r"</t[dh]\s*>", re.IGNORECASE), re.compile(r"</tr\s*>|<br\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"<[a-zA-Z/][^<>]{0,500}>")
_CONTROLS = re.compile(r"[\x00-\x07\x0e-\x1f\x7f]")
_SIGNS = str.maketrans({"−": "-", "–": "-", "│": "|", "┃": "|", "║": "|", "∞": "inf"})

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,4})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:e[+-]?\d{1,4})?", re.ASCII)
_COMMA_GROUPS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d*", re.ASCII)
_DOT_GROUPS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d*", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)", re.ASCII)
_WRAPPED = re.compile(r"[\w.]{0,30}\(\s*\[?([^()\[\],]*)\]?(?:,[^()]*)?\)|\[([^\[\]]*)\]")
_NOT_A_NUMBER = {"nan", "+nan", "-nan", "nan(ind)", "-nan(ind)", "1.#qnan", "1.#ind", "-1.#ind"}
_INFINITE = {"inf", "+inf", "infinity", "+infinity", "1.#inf"}

_TRAIN = "(?:train|training|trn|tr)"
_HELD = "(?:valid|val|validation|eval|dev|test)"
_ACCURACY = "(?:(?:(?:sparse_)?categorical_|binary_|multiclass_)?acc(?:uracy)?|multiclassaccuracy|accuracy_score)"
_ERROR = "(?:err|error|error_rate)"
# what a column holds, by its plain name; the names on the left are those of our own tables
_MEANINGS = {
    "epoch": "epochs?|ep",
    "stage": "stage",
    "step": "step|global_step|iteration",
    "train_loss": f"(?:avg_)?(?:{_TRAIN}_)?loss|loss_{_TRAIN}",
    "valid_loss": f"(?:avg_)?{_HELD}_loss|loss_{_HELD}",
    "accuracy": f"{_HELD}_{_ACCURACY}|{_ACCURACY}_{_HELD}",
    "train_accuracy": f"{_TRAIN}_{_ACCURACY}|{_ACCURACY}_{_TRAIN}",
    "either_accuracy": _ACCURACY,
    "error_rate": f"{_HELD}_{_ERROR}|{_ERROR}_{_HELD}",
    "train_error": f"{_TRAIN}_{_ERROR}|{_ERROR}_{_TRAIN}",
    "either_error": _ERROR,
    "wrong": "wrong",
    "of": "of",
    "lr": "lr|learning_rate|rate|lr_\\w+",
    "seconds": "time|seconds|time_s|epoch_time|duration",
}
_PATTERNS = {meaning: re.compile(pattern) for meaning, pattern in _MEANINGS.items()}


def cleaned(text: str) -> str:
    """Text without the marks of a terminal or a web page: what was redrawn on one line becomes several lines."""
    text = _REDRAWN.sub("\n", _TERMINAL.sub("", text))
    text = _BLANK.sub(" ", _INVISIBLE.sub("", text)).translate(_SIGNS)
    if "<td" in text.lower():
        rows = _ROW_END.sub("\n", _CELL_END.sub("\t", text.replace("\n", " ")))
        text = "\n".join(row.strip() for row in _TAG.sub(" ", rows).split("\n"))
    return text


def is_binary(text: str) -> bool:
    """Whether cleaned text holds characters that no printed log has."""
    return _CONTROLS.search(text) is not None


def number(cell: object) -> float | None:
    """The number of a cell; None where it holds none.

    `"0,57" -> 0.57`, `"57 %" -> 0.57`, `"01:12" -> 72.0` (seconds), `"nan" -> nan`, `"np.float32(2.5)" -> 2.5`.
    """
    if isinstance(cell, (bool, int, float)):
        return None if isinstance(cell, bool) else _from_number(cell)
    text = cell.strip().lstrip("●•* ").strip("'\"").lower() if isinstance(cell, str) else ""
    if not text or len(text) > NUMBER_CHARS:
        return None
    wrapped = _WRAPPED.fullmatch(text)
    return _from_word((wrapped[1] or wrapped[2] or "").strip() if wrapped else text)


def _from_number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number with hundreds of digits
        return math.inf if value > 0 else -math.inf


def _from_word(text: str) -> float | None:
    if text in _NOT_A_NUMBER:
        return math.nan
    if text.lstrip("-") in _INFINITE:
        return -math.inf if text.startswith("-") else math.inf
    if text.endswith("%"):
        share = _from_digits(text[:-1].strip())
        return None if share is None else share / 100
    clock = _CLOCK.fullmatch(text)
    if clock:
        return 3600 * int(clock[1] or 0) + 60 * int(clock[2]) + float(clock[3])
    return _from_digits(text)


def _from_digits(text: str) -> float | None:
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    elif _COMMA_GROUPS.fullmatch(text):
        text = text.replace(",", "")
    elif _DOT_GROUPS.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    return float(text) if _PLAIN.fullmatch(text) else None


def plain_name(name: str) -> str:
    """A column's name in small letters and underscores: "Val/Loss (%)" -> "val_loss"."""
    return re.sub(r"[\W_]+", "_", name.strip().lower()).strip("_")


def meaning(name: str) -> str | None:
    """What a column of this name holds, see `_MEANINGS`; None for a name that says nothing to us."""
    plain = plain_name(name[:NUMBER_CHARS]).removesuffix("_epoch")
    return next((found for found, pattern in _PATTERNS.items() if pattern.fullmatch(plain)), None)


def meanings(names: Iterable[str], *, bare_is_training: bool) -> dict[str, str]:
    """What each column is called in our tables. Where two hold the same, the second one keeps a name of its own.

    `bare_is_training`: whether an accuracy without "val" in front was measured on the training pictures, as in Keras.
    """
    names = list(dict.fromkeys(names))
    found = {name: meaning(name) for name in names}
    held = {said for said in found.values() if said in ("accuracy", "error_rate")}
    for name, said in found.items():
        if said in ("either_accuracy", "either_error"):
            ours = "accuracy" if said == "either_accuracy" else "error_rate"
            training = {"accuracy": "train_accuracy", "error_rate": "train_error"}[ours]
            found[name] = training if bare_is_training or ours in held else ours
    return _one_each(names, found)


def _one_each(names: list[str], found: dict[str, str | None]) -> dict[str, str]:
    def rank(name: str) -> tuple[bool, bool]:
        plain = plain_name(name)
        return "test" in plain, plain != found[name]  # the test set of other tools comes after the run

    taken, called = set(), {}
    for name in sorted(names, key=rank):
        ours = found[name] or plain_name(name) or "column"
        while ours in taken:
            ours = plain_name(name) if plain_name(name) not in taken else f"{ours}_"
        taken.add(ours)
        called[name] = ours
    return {name: called[name] for name in names}
