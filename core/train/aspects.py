"""Settings in words: a run's or a stage's settings in, short phrases out, one for each thing that they decide.

A new setting is one `Aspect` in `RUN` or `STAGE`, and its place in `ORDER`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.settings import Stage, TrainSettings
from core.train.words import counted, rate


@dataclass(frozen=True)
class Aspect:
    """One thing that settings decide: `value` reads it off a run or a stage.

    "It {verb} {words(value)}." is a sentence. `tag` is what fits into a cell; "" where a thing is not done at all.
    """

    value: Callable[[Any], Any]
    verb: str
    words: Callable[[Any], str]
    tag: Callable[[Any], str]


def stage_words(stage: Stage) -> str:
    """A whole stage in a line: "all layers at 1e-5 to 3e-4, 4 epochs, pictures changed at random (photos)"."""
    more = [_augment(stage.augment)] if stage.augment != "none" else []
    rates = _rates(STAGE["rate"].value(stage))
    return ", ".join([f"{_layers(stage.first_group)} at {rates}", _epochs(stage.epochs), *more])


def tags(settings: TrainSettings) -> dict[str, str]:
    """What settings say in a word or two about each aspect, in the order in which people ask."""
    said = {name: aspect.tag(aspect.value(settings)) for name, aspect in RUN.items()}
    said |= {name: _over_stages(aspect, settings.resolved) for name, aspect in STAGE.items()}
    return {name: said[name] for name in ORDER}


def _over_stages(aspect: Aspect, stages: Sequence[Stage]) -> str:
    found = [aspect.tag(aspect.value(stage)) for stage in stages]
    if len(set(found)) == 1:
        return found[0]
    return f"{found[0]}, then " * bool(found[0]) + ", then ".join(tag.removeprefix("rate ") for tag in found[1:] if tag)


def checkpoint_words(file: str) -> str:
    """When a file of weights was written: "stage-0.safetensors" -> "after stage 1"."""
    stem = file.partition(".")[0]
    kind, _, number = stem.partition("-")
    if kind == "stage" and number.isdecimal():
        return f"after stage {int(number) + 1}"
    return {"last": "as it ended", "best": "at its best epoch"}.get(stem, stem)


def rates_of(stage: Stage) -> tuple[float | None, float, bool]:
    """The low and the high end of a stage's rates, and whether the finder chooses the low one."""
    low, high = stage.lr if isinstance(stage.lr, tuple) else (stage.lr, stage.lr)
    return None if low is None else float(low), float(high), stage.find_lr


def _rates(value: tuple[float | None, float, bool]) -> str:
    low, high, found = value
    if found:
        return f"the finder's rate to {rate(high)}"
    if low is None:
        return f"{rate(high)} (a tenth of it in the body)"
    return rate(high) if low == high else f"{rate(low)} to {rate(high)}"


def _rates_tag(value: tuple[float | None, float, bool]) -> str:
    return f"rate found to {rate(value[1])}" if value[2] else f"rate {_rates((value[0] or value[1], value[1], False))}"


def _layers(first: int) -> str:
    return {0: "all layers", 1: "the later layers and the head"}.get(first, "the head alone")


def _layers_tag(first: int) -> str:
    return {0: "all layers", 1: "later layers"}.get(first, "head")


def _epochs(count: int) -> str:
    return counted(count, "epoch")


_SCHEDULES = {
    "sgdr": "restarts",
    "cosine": "a cosine",
    "linear": "a straight line",
    "exponential": "an exponential",
    "step": "steps",
    "flat_cos": "a flat line, then a cosine",
    "constant": "a constant rate",
    "painted": "a painted curve",
}


def _schedule(value: tuple[str, tuple[tuple[str, Any], ...]]) -> str:
    name, options = value
    said = ", ".join(f"{option.replace('_', ' ')} {_option(value)}" for option, value in options)
    words = _SCHEDULES.get(name, name.replace("_", " "))
    return f"{words} ({said})" if said else words


def _option(value: Any) -> str:
    return " and ".join(str(number) for number in value) if isinstance(value, (list, tuple)) else str(value)


def _schedule_of(stage: Stage) -> tuple[str, tuple[tuple[str, Any], ...]]:
    return stage.schedule, tuple(sorted(stage.options.items()))


def _augment(name: str) -> str:
    return "pictures as they are" if name == "none" else f"pictures changed at random ({name.replace('_', ' ')})"


def _balance(name: str) -> str:
    return {"weights": "rare classes with more weight", "oversample": "rare classes more often"}.get(name, "all alike")


def _pictures(name: str) -> str:
    return "all pictures" if name == "all" else "its mistakes and as many others"


def _or_not(value: float) -> str:
    return f"by {value:g}" if value else "not at all"


def _auto(otherwise: str) -> Callable[[str], str]:
    return lambda name: otherwise if name == "auto" else name


def _part(share: float) -> str:
    return "all training pictures" if share == 1 else f"{100 * share:g} % of the training pictures"


def _patience(epochs: int) -> str:
    return f"after {counted(epochs, 'epoch')} without progress" if epochs else "only at the end"


def _only(tag: str) -> Callable[[Any], str]:
    """A tag for a thing that is done or not: "" when it is not."""
    return lambda value: tag.format(value) if value else ""


RUN: Mapping[str, Aspect] = {
    "backbone": Aspect(lambda run: run.backbone, "uses the network", str, str),
    "weights": Aspect(lambda run: run.weights, "starts from weights that are", str, "{} weights".format),
    "seed": Aspect(lambda run: run.seed, "has the seed", str, "seed {}".format),
    "device": Aspect(lambda run: run.device, "runs on", _auto("whatever there is"), _auto("")),
    "train_share": Aspect(
        lambda run: run.train_share,
        "learns from",
        _part,
        lambda share: "" if share == 1 else f"{100 * share:g} % of the pictures",
    ),
    "keep_best": Aspect(
        lambda run: run.keep_best,
        "keeps",
        lambda best: f"the {'best' if best else 'last'} epoch of each stage",
        _only("best epoch kept"),
    ),
    "patience": Aspect(lambda run: run.patience, "stops", _patience, _only("patience {}")),
}
STAGE: Mapping[str, Aspect] = {
    "layers": Aspect(lambda stage: stage.first_group, "trains", _layers, _layers_tag),
    "rate": Aspect(rates_of, "learns at", _rates, _rates_tag),
    "epochs": Aspect(lambda stage: stage.epochs, "takes", _epochs, _epochs),
    "schedule": Aspect(
        _schedule_of, "follows", _schedule, lambda value: "" if value[0] == "one_cycle" else _schedule((value[0], ()))
    ),
    "augment": Aspect(
        lambda stage: stage.augment, "shows", _augment, lambda name: "" if name == "none" else "augmented"
    ),
    "image_size": Aspect(lambda stage: stage.image_size, "sees pictures of", "{} pixels".format, "{} pixels".format),
    "batch_size": Aspect(
        lambda stage: stage.batch_size, "takes steps of", "{} pictures".format, "batches of {}".format
    ),
    "mixup": Aspect(lambda stage: stage.mixup, "mixes pictures", _or_not, _only("mixup {:g}")),
    "label_smoothing": Aspect(lambda stage: stage.label_smoothing, "smooths labels", _or_not, _only("smoothing {:g}")),
    "balance": Aspect(
        lambda stage: stage.balance, "counts", _balance, lambda name: "" if name == "none" else _balance(name)
    ),
    "data": Aspect(
        lambda stage: stage.data, "learns from", _pictures, lambda name: "" if name == "all" else "on mistakes"
    ),
    "weight_decay": Aspect(
        lambda stage: stage.weight_decay, "has a weight decay of", "{:g}".format, "weight decay {:g}".format
    ),
    "dropout": Aspect(lambda stage: stage.dropout, "has a dropout of", "{:g}".format, "dropout {:g}".format),
    "precision": Aspect(
        lambda stage: stage.precision, "computes in", _auto("the fastest precision that is safe"), _auto("")
    ),
}
ORDER = (
    *("rate", "epochs", "layers", "seed", "backbone", "weights", "augment", "image_size", "schedule", "train_share"),
    *("batch_size", "data", "balance", "mixup", "label_smoothing", "weight_decay", "dropout", "precision", "device"),
    *("keep_best", "patience"),
)
