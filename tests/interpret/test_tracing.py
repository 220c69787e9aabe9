"""The tensors on the way to an answer fit together, and end in the scores that the model gives."""

import numpy as np
import pytest
import torch

from core.interpret.tracing import trace
from core.vision.device import pick_device
from core.vision.model import build_model


@pytest.fixture(scope="module")
def found():
    model = build_model("lite0", ("a", "b", "c"), seed=3)
    pixels = torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    made = trace(model, pixels.split(1), device=pick_device("cpu", "float32"))
    model.eval()
    with torch.inference_mode():
        return made, model(pixels).numpy()


def test_the_scores_are_the_model_s(found):
    made, scores = found
    assert made.scores == pytest.approx(scores, abs=1e-5)
    assert made.hidden @ made.weights.T == pytest.approx(made.scores, abs=1e-4)


def test_shapes(found):
    made, _ = found
    assert made.pixels.shape == made.normalised.shape == (4, 3, 64, 64)
    assert (made.maps, made.pooled.shape, made.hidden.shape) == ((4, 1280, 2, 2), (4, 2560), (4, 512))
    assert made.weights.shape == (3, 512) and made.classes == ("a", "b", "c")


def test_the_normalisation_is_the_formula(found):
    made, _ = found
    by_hand = (made.pixels / 255 - made.mean[None, :, None, None]) / made.std[None, :, None, None]
    assert made.normalised == pytest.approx(by_hand, abs=1e-5) and np.isfinite(by_hand).all()
