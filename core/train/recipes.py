"""Recipes: a name and a few wishes in, the settings of a whole run out.

A new one is a function with `@recipe` above it. It says how to train; what most people never touch stays as it
is. `RECIPES` holds them by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.errors import SettingsError
from core.settings import Stage, TrainSettings

FROZEN_RATE = 3e-3
UNFROZEN_SHARE = 10  # the head's rate is divided by this once all layers learn: the lesson takes 5 to 10


@dataclass(frozen=True)
class Recipe:
    """One way to train. `epochs` and `lr` are its usual values; where `epochs` is None, its cycles decide.

    `ratio` lies between the rates of neighbouring layer groups, where that is a matter of choice. `broken`: it goes
    wrong on purpose. `make` gives changes of TrainSettings: the stages, and what else it needs.
    """

    name: str
    title: str
    epochs: int | None
    lr: float
    ratio: float | None
    broken: bool
    make: Callable[..., Mapping[str, Any]]


RECIPES: dict[str, Recipe] = {}


def recipe(
    title: str,
    *,
    epochs: int | None = 4,
    lr: float = FROZEN_RATE,
    ratio: float | None = None,
    broken: bool = False,
) -> Callable[[Callable[..., Mapping[str, Any]]], Callable[..., Mapping[str, Any]]]:
    """Register a function of epochs, rate and ratio under its own name."""

    def register(make: Callable[..., Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
        RECIPES[make.__name__] = Recipe(make.__name__, title, epochs, lr, ratio, broken, make)
        return make

    return register


def preset(
    name: str,
    settings: TrainSettings | None = None,
    *,
    epochs: int | None = None,
    lr: float | None = None,
    ratio: float | None = None,
) -> TrainSettings:
    """The settings of a recipe: its stages and what else it needs, on top of `settings` (the usual ones without).

    `epochs`, `lr` and `ratio` replace the recipe's own where it has any. SettingsError names the recipes there are.
    """
    if name not in RECIPES:
        raise SettingsError(f"The preset {name!r} is not known; there are {', '.join(RECIPES)}.", hint="Try 'quick'.")
    found = RECIPES[name]
    wishes: dict[str, Any] = {"lr": found.lr if lr is None else lr}
    if found.epochs is not None:
        wishes["epochs"] = found.epochs if epochs is None else epochs
    if found.ratio is not None:
        wishes["ratio"] = found.ratio if ratio is None else ratio
    return replace(settings or TrainSettings(), **found.make(**wishes))


@recipe("Quick")
def quick(*, epochs: int, lr: float) -> Mapping[str, Any]:
    """The head alone, on activations that are computed once: seconds on a laptop."""
    return {"stages": (Stage(epochs=epochs, lr=lr),)}


@recipe("Standard")
def standard(*, epochs: int, lr: float) -> Mapping[str, Any]:
    """The lesson's recipe: the head, then all layers at a spread whose low end the finder reads off the new model."""
    unfrozen = Stage(epochs=epochs, lr=(None, lr / UNFROZEN_SHARE), freeze_to=0, find_lr=True, augment="photos")
    return {"stages": (Stage(epochs=epochs, lr=lr), unfrozen)}


@recipe("Fine-tune in one go", lr=2e-3)
def fine_tune(*, epochs: int, lr: float) -> Mapping[str, Any]:
    """One epoch for the head, then everything at half the rate, the early layers a hundred times lower.

    As fastai's `fine_tune` does it: the warm-up of the first stage takes 99 % of it, the second starts at a fifth.
    """
    head = Stage(epochs=1, lr=lr, options={"pct_start": 0.99})
    options = {"pct_start": 0.3, "div": 5.0}
    rates = (lr / 200, lr / 2)
    return {"stages": (head, Stage(epochs=epochs, lr=rates, freeze_to=0, augment="photos", options=options))}


@recipe("2018 style", epochs=None, ratio=10.0)
def style_2018(*, lr: float, ratio: float) -> Mapping[str, Any]:
    """Activations computed once, then augmentation with a restart every epoch, then all layers in ever longer cycles.

    A `ratio` of 10 suits ordinary photos, 3 medical or satellite pictures, which look less like those the body has
    learned from.
    """
    spread = (lr / ratio**2, lr)
    return {
        "stages": (
            Stage(epochs=2, lr=lr, schedule="constant"),
            Stage(epochs=3, lr=lr, augment="photos", schedule="sgdr", options={"cycle_len": 1}),
            Stage(
                epochs=7,  # cycles of 1, 2 and 4 epochs
                lr=spread,
                freeze_to=0,
                augment="photos",
                schedule="sgdr",
                options={"cycle_len": 1, "cycle_mult": 2},
            ),
        )
    }


@recipe("Progressive size", epochs=2)
def progressive(*, epochs: int, lr: float) -> Mapping[str, Any]:
    """Small pictures first, when the model knows little and every epoch is cheap; large ones for the fine work."""
    rates = (lr / 100, lr / UNFROZEN_SHARE)
    return {
        "stages": (
            Stage(epochs=2 * epochs, lr=lr, image_size=64),
            Stage(epochs=epochs, lr=rates, freeze_to=0, augment="photos", image_size=128),
            Stage(epochs=epochs, lr=(rates[0] / 2, rates[1] / 2), freeze_to=0, augment="photos", image_size=224),
        ),
        "image_size": 224,
    }


@recipe("Learn from mistakes", epochs=6)
def mistakes(*, epochs: int, lr: float) -> Mapping[str, Any]:
    """From a trained model: every picture of the set of mistakes in each epoch, among as many others drawn anew.

    The head alone: so few pictures would bend the body to themselves. It takes the rate of a frozen model, ten times
    that of the fine work before it, and more epochs than usual, so that a handful of pictures is heard.
    """
    return {"stages": (Stage(epochs=epochs, lr=lr, data="mistakes"),)}


@recipe("Break it: rate too high", epochs=2, lr=0.1, broken=True)
def too_high(*, epochs: int, lr: float) -> Mapping[str, Any]:
    """All layers at a rate hundreds of times too high: the body forgets what ImageNet taught it, for good.

    The head alone would survive the rate, with an enormous loss: its batch norms take any length of its weights. Small
    pictures, so that the ruin does not take long.
    """
    return {"stages": (Stage(epochs=epochs, lr=lr, freeze_to=0, image_size=128),)}


@recipe("Break it: rate too low", epochs=5, lr=1e-5, broken=True)
def too_low(*, epochs: int, lr: float) -> Mapping[str, Any]:
    """A rate a few hundred times too low."""
    return {"stages": (Stage(epochs=epochs, lr=lr),)}


@recipe("Break it: too few epochs", epochs=1, lr=1e-3, broken=True)
def too_few(*, epochs: int, lr: float) -> Mapping[str, Any]:
    """One epoch at a rate that would do in four."""
    return {"stages": (Stage(epochs=epochs, lr=lr),)}


@recipe("Break it: too many epochs", epochs=60, lr=1e-2, broken=True)
def too_many(*, epochs: int, lr: float) -> Mapping[str, Any]:
    """Many epochs over a quarter of the pictures, with everything off that keeps a model from learning by heart."""
    stage = Stage(epochs=epochs, lr=lr)
    return {"stages": (stage,), "train_share": 0.25, "dropout": 0.0, "weight_decay": 0.0}
