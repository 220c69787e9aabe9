"""Where a model looks: a picture and a class in, a map of the places that speak for that class out.

Two maps that know nothing of one another. Grad-CAM asks the network which places its score hangs on, in one pass;
occlusion hides one place after another and asks again, in dozens. Where both point to one place, the model looks there.

Measured on the drawn bears (`python -m benchmarks.saliency`: lite0, 24 pictures of the exam): the mean rank correlation
of the two is 0.49, and 0.23 for the maps of two different pictures. HiResCAM (arXiv:2011.08891), which weights place by
place, has 0.39, since all slope of a maximum goes to one place; the mean half of the pooling alone 0.48, the slope of
the log probability 0.47. So the classic formula stays; docs/LOG.md has the table.
"""

from __future__ import annotations

import numpy as np
import torch

from core.vision.device import Device
from core.vision.model import Classifier, pool

AT_ONCE = 16  # covered pictures in a batch; more are no faster on two cores


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


@torch.inference_mode()
def occlusion(
    model: Classifier,
    pixels: torch.Tensor,
    target: int,
    *,
    device: Device,
    patch: int | None = None,
    stride: int | None = None,
) -> np.ndarray:
    """How much the class's probability falls when a grey patch covers a place, (n, n) float64 in -1..1.

    `pixels` (1, 3, S, S) as for `grad_cam`. A square of `patch` pixels (a quarter of S) stands in turn on the middle of
    n x n places `stride` pixels apart (an eighth of S: 64 places); at the edge less of it lies on the picture. Below 0
    the model is surer without that place. Zeiler and Fergus, arXiv:1311.2901. It is computed in float32, since covering
    a place often changes the score by less than bfloat16 can tell. About 1 s for lite0 at 224 on two cores.
    """
    model.eval()
    seen = pixels.to(device.torch)
    seen = seen.float() / 255 if seen.dtype == torch.uint8 else seen
    boxes = _boxes(seen.shape[-1], patch, stride)
    whole = _probability(model, seen, target)
    parts = [
        _probability(model, _covered(model, seen, boxes[at : at + AT_ONCE]), target)
        for at in range(0, len(boxes), AT_ONCE)
    ]
    side = round(len(boxes) ** 0.5)
    falls: np.ndarray = (whole - torch.cat(parts)).reshape(side, side).cpu().numpy()
    return falls


def _boxes(size: int, patch: int | None, stride: int | None) -> list[tuple[int, int, int, int]]:
    """Top, bottom, left and right of the patch at each place, row by row."""
    patch = patch or size // 4
    count = max(1, round(size / (stride or max(1, size // 8))))
    middles = [(place + 0.5) * size / count for place in range(count)]
    ends = [(max(0, round(middle - patch / 2)), min(size, round(middle + patch / 2))) for middle in middles]
    return [(*down, *across) for down in ends for across in ends]


def _covered(model: Classifier, seen: torch.Tensor, boxes: list[tuple[int, int, int, int]]) -> torch.Tensor:
    """A copy of the picture for each box, grey there: the colour that the network takes for nothing, its mean."""
    grey = torch.as_tensor(model.backbone.mean, dtype=seen.dtype, device=seen.device).view(3, 1, 1)
    copies = seen.repeat(len(boxes), 1, 1, 1)
    for copy, (top, bottom, left, right) in zip(copies, boxes, strict=True):
        copy[:, top:bottom, left:right] = grey
    return copies


def _probability(model: Classifier, pictures: torch.Tensor, target: int) -> torch.Tensor:
    found: torch.Tensor = model(pictures).double().softmax(1)[:, target]
    return found
