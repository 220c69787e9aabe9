"""What a foreign bearings.json says: plain JSON values in, the same ones checked out, or a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from core.data.layout import MAX_CLASSES, normalise_label, shown
from core.deploy.bundle import CARD, LONGEST_SIDE, PRECISION
from core.deploy.bundle_text import SOURCES
from core.errors import DataError, ModelError
from core.workspace import is_id

SIZES = range(32, 513, 32)
COUNT_MAX = 10**9
_HASH_CHARS = frozenset("0123456789abcdef")
_HINT = "Bearings reads the zip that its own page Take it along makes, as it was downloaded."


def refused(name: str, found: str) -> ModelError:
    """The error for a file that is no model of ours; `found` is the end of the sentence, with its full stop."""
    return ModelError(f"{shown(name, most=60)} is no model saved by Bearings: {found}", hint=_HINT)


def checked_card(card: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Only what a bearings.json may say, each value of its kind and within its range; ModelError for anything else."""
    try:
        architecture, seen, dataset = card["architecture"], card["preprocessing"], card["dataset"]
        return {
            "schema": card["schema"],
            "run": _kept(card["run"], is_id(card["run"]), "run", name),
            "classes": _classes(card["classes"], name),
            "architecture": _architecture(architecture, name),
            "preprocessing": _preprocessing(seen, name),
            "precision": PRECISION,
            "metrics": _metrics(card["metrics"], name),
            "dataset": {
                "id": _kept(dataset["id"], is_id(dataset["id"]), "data set", name),
                "name": _label(dataset.get("name") or "a data set", "data set", name),
                "version": _hash(dataset["version"], "version", name),
            },
            "sha256": _hash(card["sha256"], "hash", name),
        }
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise refused(name, f"its {CARD} lacks something, or says it in another way.") from error


def _kept(value: Any, fits: bool, what: str, name: str) -> Any:
    if not fits:
        raise refused(name, f"the {what} in its {CARD} is {shown(str(value), most=40)!r}, which cannot be.")
    return value


def _hash(value: Any, what: str, name: str) -> str:
    fits = isinstance(value, str) and len(value) == 64 and _HASH_CHARS.issuperset(value)
    return str(_kept(value, fits, what, name))


def _label(value: Any, what: str, name: str) -> str:
    """A name as a data set could have it, or a refusal: nothing that hides, turns its direction or is too long."""
    try:
        clean = normalise_label(_kept(value, isinstance(value, str) and len(value) < 1000, what, name))
    except DataError as error:
        raise refused(name, f"the {what} {shown(str(value), most=40)!r} cannot be used.") from error
    return clean


def _classes(values: Any, name: str) -> list[str]:
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_CLASSES:
        raise refused(name, f"it does not name 1 to {MAX_CLASSES} classes.")
    classes = [_label(value, "class", name) for value in values]
    if classes != values or len(set(classes)) != len(classes):
        raise refused(name, "two of its classes are the same, or are written with characters that nobody sees.")
    return classes


def _architecture(said: Mapping[str, Any], name: str) -> dict[str, str]:
    backbone = said["backbone"]
    if not isinstance(backbone, str) or backbone not in SOURCES:
        found = shown(str(backbone), most=40)
        raise refused(name, f"its network is {found!r}; known here are {', '.join(SOURCES)}.")
    body = _kept(said["body"], said["body"] in ("stored", "pretrained"), "body", name)
    return {"backbone": backbone, "weights": shown(str(said.get("weights", "")), most=80), "body": body}


def _preprocessing(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    size = _kept(said["size"], type(said["size"]) is int and said["size"] in SIZES, "picture size", name)
    scale = {part: [float(value) for value in said[part]] for part in ("mean", "std")}
    fits = all(len(values) == 3 and all(0 < value <= 1 for value in values) for values in scale.values())
    _kept(scale, fits, "scale of the pixels", name)
    longest = said.get("longest_side", LONGEST_SIDE)
    return {"longest_side": _kept(longest, longest == LONGEST_SIDE, "longest side", name), "size": size, **scale}


def _metrics(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    wrong, of = said["wrong"], said["of"]
    _kept((wrong, of), _is_count(wrong, of), "count of mistakes", name)
    loss = float(said["valid_loss"])
    _kept(loss, math.isfinite(loss) and loss >= 0, "loss", name)
    found: dict[str, Any] = {"error_rate": wrong / of if of else 0.0, "wrong": wrong, "of": of, "valid_loss": loss}
    if said.get("per_class"):
        found["per_class"] = [_counts(row, name) for row in said["per_class"][:MAX_CLASSES]]
    return found


def _counts(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    wrong, of = row["wrong"], row["of"]
    _kept((wrong, of), _is_count(wrong, of), "count of mistakes", name)
    return {"label": _label(row["label"], "class", name), "wrong": wrong, "of": of}


def _is_count(wrong: Any, of: Any) -> bool:
    return type(wrong) is int and type(of) is int and 0 <= wrong <= of < COUNT_MAX
