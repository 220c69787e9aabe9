"""What a script is about: the stages of a run as they were in; what they use, and words to write them with, out.

What is the same in all stages is a constant at the top of the script, what differs is a field of its stages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.data.text_table import guarded
from core.settings import LAYER_GROUPS, Stage

FEATURES: Mapping[str, int] = {"lite0": 1280, "resnet18": 512, "resnet34": 512, "resnet50": 2048, "resnext50": 2048}
RESIDUAL: Mapping[str, tuple[str, str]] = {  # title and torchvision's name
    "resnet18": ("ResNet-18", "resnet18"),
    "resnet34": ("ResNet-34", "resnet34"),
    "resnet50": ("ResNet-50", "resnet50"),
    "resnext50": ("ResNeXt-50", "resnext50_32x4d"),
}
_HEAD = LAYER_GROUPS - 1
_WAVES = {"one_cycle", "sgdr", "cosine", "flat_cos", "painted"}


@dataclass(frozen=True)
class Done:
    """One stage as it was done: `stage` has nothing left open, `rates` are the highest of each layer group.

    `batch` is the number of pictures in a step, `number` counts the stages of its own run from 0; `seed`,
    `train_share`, `keep_best` and `patience` are that run's. `until`: the epoch after which a run was ended that was
    to go on. `remarks` are sentences of ours for whoever reads the script.
    """

    stage: Stage
    rates: tuple[float, ...]
    batch: int
    bf16: bool
    number: int
    seed: int
    train_share: float = 1.0
    keep_best: bool = False
    patience: int = 0
    until: int = 0
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """What a stage decides: its name in the script and its type there, its value in a stage, and what it means."""

    name: str
    kind: str
    value: Callable[[Done], Any]
    comment: str


_EPOCHS = Field("epochs", "int", lambda done: done.stage.epochs, "passes over the training pictures")
_RATE = Field("rate", "float", lambda done: done.rates[-1], "the highest learning rate")
_RATES = (
    Field("rates", "tuple", lambda done: done.rates, "the highest of the early layers, the late layers, the head"),
    Field(
        "first", "int", lambda done: done.stage.first_group, "what learns: 0 all, 1 late layers and head, 2 the head"
    ),
)
_SCHEDULE = Field("schedule", "str", lambda done: done.stage.schedule, "how the rate moves")
_ALWAYS = (
    Field("size", "int", lambda done: done.stage.image_size, "pixels a side"),
    Field("batch", "int", lambda done: done.batch, "pictures in a step"),
    Field("weight_decay", "float", lambda done: done.stage.weight_decay, "what weights lose in a step, times its rate"),
    Field("dropout", "float", lambda done: done.stage.dropout, "share of the numbers that the head leaves out"),
    Field("seed", "int", lambda done: done.seed, "where all random numbers begin"),
)
_AT_TIMES = (  # only in scripts where some stage has them
    Field("number", "int", lambda done: done.number, "its place in its own run, from 0"),
    Field("bf16", "bool", lambda done: done.bf16, "whether the body calculates in bfloat16"),
    Field("until", "int", lambda done: done.until or done.stage.epochs, "the epoch after which it was ended"),
    Field("train_share", "float", lambda done: done.train_share, "share of the training pictures in use"),
    Field("data", "str", lambda done: done.stage.data, "which pictures are learned"),
    Field("augment", "str", lambda done: done.stage.augment.replace("none", ""), "how pictures are changed"),
    Field("mixup", "float", lambda done: done.stage.mixup, "how pictures are laid over each other; 0: not at all"),
    Field("label_smoothing", "float", lambda done: done.stage.label_smoothing, "share of a label given to all classes"),
    Field("balance", "str", lambda done: done.stage.balance, "what is done about classes of unequal size"),
    Field("options", "dict", lambda done: dict(done.stage.options), "of the schedule"),
    Field("keep_best", "bool", lambda done: done.keep_best, "whether the best epoch's weights are kept"),
    Field("patience", "int", lambda done: done.patience, "epochs to wait for a lower validation loss; 0: to the end"),
)
RECIPE = (_EPOCHS, _RATE, *_RATES)  # what every stage says for itself
_NOT_USED = (False, 0, 0.0, "", "none", "all", {})


@dataclass(frozen=True)
class Plan:
    """The stages that a script repeats, and the network they train.

    `diverged`: the loss exploded in the last of them. `device`: what the run computed on, `threads`:
    how many shared the sums there (0: not known).
    """

    stages: tuple[Done, ...]
    classes: tuple[str, ...]
    backbone: str
    weights: str
    diverged: bool = False
    device: str = "cpu"
    threads: int = 0

    @property
    def one(self) -> bool:
        """Whether there is one stage, so that everything is a constant."""
        return len(self.stages) == 1

    @property
    def chained(self) -> bool:
        """Whether the stages are those of several runs."""
        return [done.number for done in self.stages] != list(range(len(self.stages)))

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
        return [_EPOCHS, *rates, *schedule, *_ALWAYS, *(field for field in _AT_TIMES if self._has(field))]

    def _has(self, field: Field) -> bool:
        """Whether a field that is not always needed is."""
        if field.name == "number":
            return self.chained
        if field.name == "until":
            return any(done.until for done in self.stages)
        if field.name == "train_share":
            return any(done.train_share < 1 for done in self.stages)
        return any(field.value(done) not in _NOT_USED for done in self.stages)

    @property
    def differing(self) -> list[Field]:
        """The fields of a stage; the others are constants. Epochs and rates are never shared: they are the recipe."""
        return [] if self.one else [field for field in self.fields if field in RECIPE or not self._is_shared(field)]

    def usual(self, field: Field) -> Any:
        """The value of a field that most stages have, and the first of those."""
        values = [field.value(done) for done in self.stages]
        return max(values, key=values.count)

    def _is_shared(self, field: Field) -> bool:
        return all(field.value(done) == field.value(self.stages[0]) for done in self.stages)

    @property
    def uses(self) -> set[str]:
        """The words that conditions in parts are made of."""
        stages, names = [done.stage for done in self.stages], {field.name for field in self.fields}
        differing = {field.name for field in self.differing}
        augments, balances = {stage.augment for stage in stages}, {stage.balance for stage in stages}
        facts = {
            "one": self.one,
            "frozen": any(stage.frozen for stage in stages),
            "unfrozen": self.unfrozen,
            "cached": any(stage.cached for stage in stages),
            "pixels": any(not stage.cached for stage in stages),
            "always_augment": "none" not in augments,
            "changes": augments != {"none"} or "mixup" in names,
            "weighted": "weights" in balances,
            "oversample": "oversample" in balances,
            "mistakes": "data" in names,
            "best": bool(names & {"keep_best", "patience"}),
            "diverged": self.diverged,
            "threads": self.device == "cpu" and self.threads > 0,
            "loads_again": bool(differing & {"size", "data", "train_share"})
            or ("train_share" in names and "seed" in differing),
            "guarded": any(guarded(name) != name for name in self.classes),
            "float32": "bf16" not in names,
            "math": bool(self.schedules & _WAVES) or augments != {"none"},
            "resnet": self.backbone in RESIDUAL,
            self.backbone: True,
            self.weights: True,
        }
        true = {name for name, holds in facts.items() if holds}
        return true | self.schedules | names | {f"{name}_differs" for name in differing}

    @property
    def values(self) -> dict[str, str]:
        """What is filled into parts: pieces of code of our own, never a name that somebody chose."""
        own = {field.name for field in self.differing}
        read = {field.name: f"stage.{field.name}" if field.name in own else field.name.upper() for field in self.fields}
        title, architecture = RESIDUAL.get(self.backbone, ("", ""))
        passed = ", stage" if "bf16" in own else ""
        return {
            **{field.name: "" for field in (_RATE, *_RATES, *_AT_TIMES)},
            **read,
            **_schedule_calls(self.schedules, read),
            "threads": str(self.threads),
            "title": title,
            "architecture": architecture,
            "features": str(FEATURES[self.backbone]),
            "first_seed": "STAGES[0].seed" if "seed" in own else "SEED",
            "half_dropout": "0.0" if "dropout" in own else "DROPOUT / 2",
            "whole_dropout": "0.0" if "dropout" in own else "DROPOUT",
            "last": read.get("until", read["epochs"]),
            "cached_test": _cached_test(self.unfrozen, read),
            "drawing": "epoch" if self.one else "stage, epoch" if self.chained else "number, epoch",
            "drawn_for": "0" if self.one else read["number"] if self.chained else "number",
            "stage": passed,
            "if_decays": ", stage" if "weight_decay" in own else "",
            "if_many": "" if self.one else ", stage",
            "splits": _splits(self),
            "sides": "sides" if "data" in own else f"[{_splits(self)}]",
            "from_first": "FIRST:" if self.one else "stage.first :",
            "share_parameter": ", stage" if own & {"seed", "train_share"} else "",
            "if_mistakes": ", mistakes" if "data" in read else "",
            "enabled": ", enabled=stage.bf16" if passed else "",
            "loss_options": _loss_options(self, read),
        }


def _schedule_calls(names: set[str], read: Mapping[str, str]) -> dict[str, str]:
    """How the loop asks for the rate and the momentum of a step."""
    name = next(iter(names)) if len(names) == 1 else "SCHEDULES[stage.schedule]"
    counts = "sgdr" in names  # then all of them are called with the number of epochs
    epochs = f", {read['epochs']}" if counts else ""
    options = f", **{read['options']}" if "options" in read else ""
    start = f', {read["options"]}.get("pct_start", 0.25)' if "options" in read else ""
    return {
        "factor": f"{name}(pos{epochs}{options})",
        "momentum": f"one_cycle_momentum(pos{start})",
        "epochs_parameter": ", epochs" if counts else "",
    }


def _cached_test(unfrozen: bool, read: Mapping[str, str]) -> str:
    """How a script tells the stages whose pictures never change from the others."""
    tests = [f"stage.first == {_HEAD}"] if unfrozen else []
    return " and ".join([*tests, *(f"not {read[name]}" for name in ("augment", "mixup") if name in read)])


def _loss_options(plan: Plan, read: Mapping[str, str]) -> str:
    weighted = any(done.stage.balance == "weights" for done in plan.stages)
    smoothed = f", label_smoothing={read['label_smoothing']}" if "label_smoothing" in read else ""
    return f"{', weight=weights' if weighted else ''}{smoothed}"


def _splits(plan: Plan) -> str:
    """The sides that all training pictures come from; mistakes stand first in the table."""
    return '"mistakes", "train"' if plan.stages[0].stage.data == "mistakes" else '"train"'
