"""Where a model looks: a picture and a class in, a map of the places that speak for that class out."""

from __future__ import annotations

import numpy as np
import torch

from core.vision.device import Device
from core.vision.model import Classifier, pool


def grad_cam(model: Classifier, pixels: torch.Tensor, target: int, *, device: Device) -> np.ndarray:
    """How much each place of a picture speaks for a class, (S/32, S/32) float32 in 0..1; all 0 when none does.

    `pixels` (1, 3, S, S) uint8 or float 0..1; `target` is the class's number. Grad-CAM (Selvaraju et al.,
    arXiv:1610.02391): the channels of the last map, each weighted by the mean slope of the class's score on it, summed,
    and only what speaks for the class kept. The body is run once, and no slope goes through it.
    """
    model.eval()
    with torch.no_grad(), device.autocast():
        maps = model.maps(pixels.to(device.torch))
    with torch.enable_grad():
        maps.requires_grad_(True)
        score = model.head(pool(maps))[0, target]
        (slope,) = torch.autograd.grad(score, maps)
    heat = torch.relu((slope.mean((2, 3), keepdim=True) * maps.detach()).sum(1))[0]
    peak = float(heat.max())
    found: np.ndarray = (heat / peak if peak > 0 else torch.zeros_like(heat)).cpu().numpy()
    return found
