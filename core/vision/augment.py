"""Augmentation on the device: a batch of pixels and a seed in, changed pixels out, with one resampling per picture.

Flip, rotation, zoom and warp are composed into one homography per picture before anything is sampled, so that a
picture is blurred once and not four times; light and contrast are changed in logit space, so nothing clips.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Augment:
    """Largest changes: `rotate_deg` in degrees, `zoom` a factor from 1, `warp` and `light` shares in 0..1.

    Each change but the flip happens with probability `p`; flips with one half.
    """

    flip: bool = True
    flip_vertical: bool = False
    rotate_deg: float = 10.0
    zoom: float = 1.1
    warp: float = 0.2
    light: float = 0.2
    p: float = 0.75


AUGMENTS: Mapping[str, Augment | None] = {
    "none": None,
    "photos": Augment(),
    "top_down": Augment(flip_vertical=True, warp=0.0),
}


def augment_batch(images: torch.Tensor, augment: Augment, *, generator: torch.Generator) -> torch.Tensor:
    """Pictures (B, 3, S, S), uint8 0..255, to floats 0..1 of the same shape and device.

    `generator` lives on the CPU, so that the same seed changes the same pictures alike on every device.
    """
    x = images.float() / 255
    grid = _sampling_grid(_homographies(len(x), augment, generator), x.shape[-2:]).to(x.device)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return _relight(x, augment, generator) if augment.light > 0 else x


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)


def _chosen(n: int, p: float, generator: torch.Generator) -> torch.Tensor:
    return (torch.rand(n, generator=generator) < p).float()


def _homographies(n: int, augment: Augment, generator: torch.Generator) -> torch.Tensor:
    """Matrices (n, 3, 3) from output to input positions, both in -1..1."""
    use = [_chosen(n, augment.p, generator) for _ in range(3)]
    angle = _uniform(n, -1, 1, generator) * math.radians(augment.rotate_deg) * use[0]
    zoom = 1 + _uniform(n, 0, augment.zoom - 1, generator) * use[1]
    # a homography's lower row tilts the picture; half of the share keeps the corners within it
    tilt_x, tilt_y = (_uniform(n, -augment.warp / 2, augment.warp / 2, generator) * use[2] for _ in range(2))
    centre_x, centre_y = (_uniform(n, -1, 1, generator) * (1 - 1 / zoom) for _ in range(2))
    flip_x = 1 - 2 * _chosen(n, 0.5 if augment.flip else 0.0, generator)
    flip_y = 1 - 2 * _chosen(n, 0.5 if augment.flip_vertical else 0.0, generator)
    cos, sin, zero, one = angle.cos() / zoom, angle.sin() / zoom, torch.zeros(n), torch.ones(n)
    turn = torch.stack(
        [cos * flip_x, -sin * flip_y, centre_x, sin * flip_x, cos * flip_y, centre_y, zero, zero, one], 1
    )
    tilt = torch.stack([one, zero, zero, zero, one, zero, tilt_x, tilt_y, one], 1)
    return turn.view(n, 3, 3) @ tilt.view(n, 3, 3)


def _sampling_grid(matrices: torch.Tensor, size: torch.Size) -> torch.Tensor:
    """Where each output pixel looks in its input: (n, H, W, 2) in -1..1."""
    height, width = size
    ys = (2 * torch.arange(height) + 1) / height - 1
    xs = (2 * torch.arange(width) + 1) / width - 1
    grid_y, grid_x = torch.meshgrid(ys, xs, indexing="ij")
    points = torch.stack([grid_x, grid_y, torch.ones_like(grid_x)], -1).view(1, -1, 3)
    moved = points @ matrices.transpose(1, 2)
    return (moved[..., :2] / moved[..., 2:]).view(len(matrices), height, width, 2)


def _relight(x: torch.Tensor, augment: Augment, generator: torch.Generator) -> torch.Tensor:
    """Brightness as a shift and contrast as a factor of the logit of each pixel."""
    n = len(x)
    level = 0.5 + _uniform(n, -augment.light / 2, augment.light / 2, generator) * _chosen(n, augment.p, generator)
    widest = -math.log(1 - augment.light)
    contrast = (_uniform(n, -widest, widest, generator) * _chosen(n, augment.p, generator)).exp()
    shift = torch.logit(level).view(n, 1, 1, 1).to(x.device)
    return torch.sigmoid(torch.logit(x, eps=1e-3) * contrast.view(n, 1, 1, 1).to(x.device) + shift)
