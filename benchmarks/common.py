"""What the benchmarks share: the machine in one line, a data set to work on, a timed result."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from core.data.samples import make_sample
from core.data.table import Dataset, load_dataset
from core.workspace import Workspace


@dataclass(frozen=True)
class Timed:
    """Seconds of wall clock, and the error rate that came out."""

    seconds: float
    error: float


def say_machine() -> None:
    """Print what the figures were measured on."""
    import torch

    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    print(f"{name}, {os.cpu_count()} cores{gpu}; Python {sys.version.split()[0]}, torch {torch.__version__}")


def make_bears(home: Path, pictures: int) -> Dataset:
    """The sample set with about this many pictures in all."""
    workspace = Workspace(home)
    for _ in make_sample(workspace, "bears", name="bears", per_class=-(-pictures // 3)):
        pass
    return load_dataset(workspace, "bears")
