"""Sample sets: names in, data sets out. `SAMPLES` lists them, `make_sample` makes one."""

from __future__ import annotations

from typing import Any

__all__ = ["SAMPLES", "Sample", "make_sample"]


def __getattr__(name: str) -> Any:
    """Load the registry when it is asked for: the processes that draw scenes need none of it."""
    if name not in __all__:
        raise AttributeError(f"core.data.samples has no {name!r}")
    from core.data.samples import gallery

    return getattr(gallery, name)
