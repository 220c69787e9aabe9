"""What a model makes of one stored picture: a model and a picture in; maps and answers, as arrays, out.

The process keeps what was worked out last. Nothing here knows a page.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.data.images import LONGEST_SIDE, encode, open_image
from core.ui import cache
from core.ui.gallery import data_url
from core.ui.models import Model

KEPT = 64


@dataclass(frozen=True)
class Seen:
    """One look. `square` (S, S, 3) uint8 is what the model got; `heat` (h, w) in 0..1 speaks for a class."""

    square: np.ndarray
    heat: np.ndarray


def seen(model: Model, path: Path, label: str) -> Seen:
    """The square of a stored picture and Grad-CAM's map for a class of the model."""
    found: Seen = _warm().get((*_key(model, path), "heat", label), lambda: _seen(model, path, label))
    return found


def _seen(model: Model, path: Path, label: str) -> Seen:
    from core.interpret.saliency import grad_cam

    image = open_image(path, longest_side=LONGEST_SIDE)

    def look(predictor: Any) -> Seen:
        pixels = predictor.pixels(image)
        heat = grad_cam(predictor.model, pixels, predictor.classes.index(label), device=predictor.device)
        return Seen(pixels[0].permute(1, 2, 0).numpy(), heat)

    return cache.predictors().turn(model, look)


def falls(model: Model, path: Path, label: str) -> np.ndarray:
    """How much the class's probability falls when a grey patch covers a place, (n, n); takes about a second."""
    found: np.ndarray = _warm().get((*_key(model, path), "falls", label), lambda: _falls(model, path, label))
    return found


def _falls(model: Model, path: Path, label: str) -> np.ndarray:
    from core.interpret.saliency import occlusion

    image = open_image(path, longest_side=LONGEST_SIDE)
    predictor, pixels = cache.predictors().turn(model, lambda awake: (awake, awake.pixels(image)))
    with _one_at_a_time():
        exact = copy.deepcopy(predictor.model).float()  # a predictor keeps its convolutions in bfloat16 where it can
        return occlusion(exact, pixels, predictor.classes.index(label), device=predictor.device)


def block_answers(model: Model, path: Path, blocks: Sequence[str]) -> dict[str, np.ndarray]:
    """What blocks of the network answer to a stored picture: maps (C, h, w) by the block's name."""
    from core.interpret.inside import responses

    image = open_image(path, longest_side=LONGEST_SIDE)
    heard = cache.predictors().turn(
        model,
        lambda predictor: responses(predictor.model, predictor.pixels(image), blocks, device=predictor.device),
    )
    return {name: maps[0].cpu().numpy() for name, maps in heard.items()}


def head_view(model: Model, activations: np.ndarray) -> np.ndarray:
    """What the head makes of activations (n, D) before it scores classes, (n, 512)."""
    from core.interpret.inside import head_inner

    found: np.ndarray = cache.predictors().turn(
        model, lambda predictor: head_inner(predictor.model, activations, device=predictor.device)
    )
    return found


def address(picture: np.ndarray) -> str:
    """A picture (h, w, 3) uint8 inside the page itself."""
    from PIL import Image

    return data_url(encode(Image.fromarray(picture)).jpeg)


def _key(model: Model, path: Path) -> tuple[object, ...]:
    return model.run.workspace.owner if model.run else "", model.id, model.saved_at, path


@lru_cache(maxsize=1)
def _warm() -> cache.Warm:
    return cache.Warm(KEPT)


@lru_cache(maxsize=1)
def _one_at_a_time() -> threading.Lock:
    """Covering takes a second: others may predict meanwhile, but not cover."""
    return threading.Lock()
