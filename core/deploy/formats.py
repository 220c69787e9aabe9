"""Other forms of a model: a bundle in; ONNX or a program of torch.export out. Neither is ever read back here.

Both take pixels (N, 3, S, S) float32 in 0..1 and give probabilities (N, classes) float32; the scale of the pixels is
inside, and so are the classes, as JSON under the name "classes". They compute in float32. ONNX needs two packages that
the lab itself does not.

`python -m core.deploy.formats BUNDLE OUT.onnx` does it in a process of its own: it takes seconds and some memory.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.deploy.bundle import Bundle, export_bundle, with_body
from core.deploy.model_file import load_bundle
from core.errors import LabError, ModelError
from core.workspace import disk_errors, new_id

if TYPE_CHECKING:  # a page asks what can be made without torch
    from torch import nn

NEEDS: Mapping[str, tuple[str, ...]] = {"zip": (), "onnx": ("onnx", "onnxscript"), "pt2": ()}


def lacking(form: str) -> tuple[str, ...]:
    """The packages that a form needs and that are not here."""
    return tuple(name for name in NEEDS[form] if importlib.util.find_spec(name) is None)


def save_model(bundle: Bundle, target: Path) -> Bundle:
    """Write a model in the form that the target's ending says: .zip, .onnx or .pt2; what was written, as a bundle."""
    form = target.suffix.lower().lstrip(".")
    if form not in NEEDS:
        raise ModelError(
            f"A model cannot be saved as {target.name[-40:]!r}.", hint="The name ends in .zip, .onnx or .pt2."
        )
    if form == "zip":
        return export_bundle(bundle, target)
    missing = lacking(form)
    if missing:
        raise ModelError(
            "ONNX needs packages that are not installed here.", hint=f"pip install {' '.join(missing)}, and try again."
        )
    whole = with_body(bundle)
    with disk_errors():
        target.parent.mkdir(parents=True, exist_ok=True)
        temp = target.parent / f".tmp-{new_id()}.{form}"
        try:
            MAKE[form](whole, temp)
            temp.replace(target)
        finally:
            temp.unlink(missing_ok=True)
    return whole


def _answering(bundle: Bundle) -> nn.Module:
    """The model with the scale of its pixels before it and the softmax behind it."""
    import torch

    from core.train.checkpoint import restore_model

    class Answering(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = restore_model(bundle.checkpoint).to(memory_format=torch.contiguous_format)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            maps = self.model.body((pixels - self.model.mean) / self.model.std)
            return self.model.head(torch.cat([maps.amax((2, 3)), maps.mean((2, 3))], dim=1)).softmax(1)

    return Answering().eval()


def _example(bundle: Bundle) -> Any:
    import torch

    size = bundle.checkpoint.meta["image_size"]
    return torch.zeros(2, 3, size, size)


def _onnx(bundle: Bundle, path: Path) -> None:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of packages about each other
        program = torch.onnx.export(
            _answering(bundle),
            (_example(bundle),),
            input_names=["pixels"],
            output_names=["probabilities"],
            dynamic_shapes={"pixels": {0: torch.export.Dim("pictures")}},
            dynamo=True,
            verbose=False,
        )
    program.model.metadata_props["classes"] = json.dumps(list(bundle.classes), ensure_ascii=False)
    program.save(str(path), external_data=False)


def _pt2(bundle: Bundle, path: Path) -> None:
    import torch

    program = torch.export.export(
        _answering(bundle), (_example(bundle),), dynamic_shapes={"pixels": {0: torch.export.Dim("pictures")}}
    )
    torch.export.save(program, str(path), extra_files={"classes": json.dumps(list(bundle.classes), ensure_ascii=False)})


MAKE: Mapping[str, Callable[[Bundle, Path], None]] = {"onnx": _onnx, "pt2": _pt2}


def main(source: str, target: str) -> int:
    """Make one form of a saved model; the exit code is 2, with a sentence, when that cannot be."""
    logging.disable(logging.WARNING)
    try:
        save_model(load_bundle(Path(source)), Path(target))
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
