"""Where tensors live and how precise they are: a wish in, a device and a number format out."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from core.errors import SettingsError


@dataclass(frozen=True)
class Device:
    """`kind` is cuda, mps or cpu; `bf16` says whether convolutions run in bfloat16."""

    kind: str
    bf16: bool

    @property
    def torch(self) -> torch.device:
        """The device as torch names it."""
        return torch.device(self.kind)

    @property
    def precision(self) -> str:
        """Name of the number format of the body's convolutions."""
        return "bfloat16" if self.bf16 else "float32"

    def autocast(self) -> AbstractContextManager[object]:
        """Context in which the body runs in this device's number format; scores and losses stay float32."""
        return torch.autocast(self.kind, torch.bfloat16) if self.bf16 else nullcontext()


def pick_device(wish: str = "auto", precision: str = "auto") -> Device:
    """The first of CUDA, MPS and CPU that is there, or the one wished for; bfloat16 where the hardware has it."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wish != "auto" and not there.get(wish, False):
        names = ", ".join(kind for kind, found in there.items() if found)
        raise SettingsError(
            f"There is no device {wish!r} on this machine; there is {names}.", hint="Leave it at 'auto'."
        )
    kind = wish if wish != "auto" else next(kind for kind, found in there.items() if found)
    return Device(kind, bf16=precision == "bfloat16" or (precision == "auto" and _has_bf16(kind)))


def _has_bf16(kind: str) -> bool:
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # without such instructions bfloat16 on a CPU is emulated and slower than float32
    return kind == "cpu" and bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
