"""Depthwise convolutions that learn faster on a CPU in bfloat16: the same values forwards, float32 backwards.

The CPU library below torch has no fast way back through a depthwise convolution in bfloat16 with a stride of 2 or a
kernel of 5: it takes three to fourteen times as long as in float32.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.grad import conv2d_input, conv2d_weight


class Depthwise(nn.Conv2d):
    """One filter per channel, no bias. With `same` the output has the input's size over the stride, rounded up.

    Its weights are those of the layer it takes the place of, under the same name.
    """

    def __init__(self, layer: nn.Conv2d, *, same: bool) -> None:
        channels, kernel, how = layer.in_channels, layer.kernel_size, {"stride": layer.stride, "padding": layer.padding}
        super().__init__(channels, channels, kernel, groups=channels, bias=False, **how)  # type: ignore[arg-type]
        self.weight = layer.weight
        self.same = same

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to (B, C, H / stride, W / stride)."""
        x = F.pad(input, self._edges(input)) if self.same else input
        how = {"stride": self.stride, "padding": self.padding, "groups": self.groups}
        learns = torch.is_grad_enabled() and (x.requires_grad or self.weight.requires_grad)
        if learns and x.device.type == "cpu" and _in_bf16():
            out: torch.Tensor = _Float32Backwards.apply(x.bfloat16(), self.weight, how)
            return out
        return F.conv2d(x, self.weight, **how)

    def _edges(self, x: torch.Tensor) -> tuple[int, int, int, int]:
        """Zeros to add left, right, above and below; the odd one goes right and below."""
        lacking = [
            max((-(-length // stride) - 1) * stride + kernel - length, 0)
            for length, stride, kernel in zip(x.shape[-2:], self.stride, self.kernel_size, strict=True)
        ]
        return lacking[1] // 2, -(-lacking[1] // 2), lacking[0] // 2, -(-lacking[0] // 2)


def _in_bf16() -> bool:
    return torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16


class _Float32Backwards(torch.autograd.Function):
    """x (B, C, H, W) in bfloat16, weights (C, 1, k, k) in float32 and how to convolve them."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, how: dict[str, Any]) -> torch.Tensor:
        half = weight.bfloat16()
        ctx.save_for_backward(x, half)
        ctx.how = how
        return F.conv2d(x, half, **how)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (grad,), (x, weight) = grads, ctx.saved_tensors
        for_x = for_weight = None
        if ctx.needs_input_grad[0]:
            # with a stride of 1 the way to the input is fast as it is
            slow = max(ctx.how["stride"]) > 1
            pair = (weight.float(), grad.float()) if slow else (weight, grad)
            for_x = conv2d_input(x.shape, *pair, **ctx.how).to(x.dtype)
        if ctx.needs_input_grad[1]:
            for_weight = conv2d_weight(x.float(), weight.shape, grad.float(), **ctx.how)
        return for_x, for_weight, None


def quicken(body: nn.Module) -> None:
    """Put a Depthwise in the place of every depthwise convolution that would be slow to learn."""
    for parent in list(body.modules()):
        for name, layer in list(parent.named_children()):
            if _is_slow(layer):
                # timm's own kind of layer pads by itself and says 0
                setattr(parent, name, Depthwise(layer, same=type(layer) is not nn.Conv2d))


def _is_slow(layer: nn.Module) -> bool:
    if not isinstance(layer, nn.Conv2d) or isinstance(layer, Depthwise):
        return False
    depthwise = layer.groups == layer.in_channels == layer.out_channels > 1 and layer.bias is None
    return depthwise and max(layer.dilation) == 1 and (max(layer.stride) > 1 or max(layer.kernel_size) > 3)
