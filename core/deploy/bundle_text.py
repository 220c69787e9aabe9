"""The words that go along with a model: what its bearings.json says in; predict.py and README.md out.

No name that somebody typed gets into predict.py: it reads the classes from bearings.json when it runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

HERE = Path(__file__).parent / "bundle_parts"
HIDDEN = 512
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~&$@:])")
_MODULES = "hashlib, json, sys, time"


@dataclass(frozen=True)
class Source:
    """Where somebody without Bearings gets an architecture.

    `library` has it under the name `model`; `features`: channels of its last map; `weights_mb`: all weights in float32.
    """

    title: str
    library: str
    model: str
    features: int
    weights_mb: int

    @property
    def body(self) -> str:
        """A line of Python that makes the network without its head."""
        if self.library == "timm":
            return f'timm.create_model("{self.model}", num_classes=0, global_pool="")'
        layers = f"torchvision.models.{self.model}().named_children()"
        return f"nn.Sequential(collections.OrderedDict(list({layers})[:-2]))"


SOURCES: Mapping[str, Source] = {
    "lite0": Source("EfficientNet-Lite0", "timm", "tf_efficientnet_lite0", 1280, 19),
    "resnet18": Source("ResNet-18", "torchvision", "resnet18", 512, 47),
    "resnet34": Source("ResNet-34", "torchvision", "resnet34", 512, 88),
    "resnet50": Source("ResNet-50", "torchvision", "resnet50", 2048, 103),
    "resnext50": Source("ResNeXt-50", "torchvision", "resnext50_32x4d", 2048, 101),
}


def predict_script(card: Mapping[str, Any]) -> str:
    """predict.py: asks the model beside it, with Pillow, torch and one library that has the architecture."""
    source = SOURCES[card["architecture"]["backbone"]]
    values = {
        "modules": _MODULES if source.library == "timm" else f"collections, {_MODULES}",
        "library": source.library,
        "body": source.body,
        "pooled": 2 * source.features,
        "hidden": HIDDEN,
    }
    return _filled("predict.py.txt", values)


def model_card(card: Mapping[str, Any], *, safe: Callable[[str], str] | None = None) -> str:
    """README.md: what the model is, how good it is and on what, what it is for, and how it is run.

    `safe` makes harmless text of a name that somebody typed; without it they are harmless in Markdown.
    """
    safe = safe or plain
    source, metrics = SOURCES[card["architecture"]["backbone"]], card["metrics"]
    classes = [safe(name) for name in card["classes"]]
    values = {
        "title": f"A model that tells apart {_listed(classes[:3])}" + (" and more" if len(classes) > 3 else ""),
        "count": len(classes),
        "classes": _listed(classes),
        "score": f"**{wrong_of(metrics['wrong'], metrics['of'])}.**",
        "per_class": _per_class(metrics.get("per_class", ()), safe),
        "of": metrics["of"],
        "network": f"{source.title} from {source.library}",
        "size": card["preprocessing"]["size"],
        "dataset": _dataset(card["dataset"], safe),
        "run": card["run"],
        "sha": card["sha256"],
        "precision": card.get("precision", "float32"),
        "packages": f"torch {source.library} pillow",
    }
    return _filled("README.md.txt", values)


def wrong_of(wrong: int, of: int) -> str:
    """An error as a count and a share: (3, 60) -> "3 of 60 wrong (5 %)"."""
    return f"{wrong} of {of} wrong ({100 * wrong / of if of else 0:.2g} %)"


def plain(text: str) -> str:
    """A name as harmless text in Markdown: no link, no picture, no markup, no second line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split())).replace("\\<", "&lt;").replace("\\>", "&gt;")


def _listed(names: Sequence[str]) -> str:
    """("a", "b", "c") -> "a, b and c"."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _per_class(rows: Sequence[Mapping[str, Any]], safe: Callable[[str], str]) -> str:
    """A table with a line per class; "" when nobody has counted by class."""
    lines = [f"| {safe(row['label'])} | {wrong_of(row['wrong'], row['of'])} |" for row in rows]
    return "\n".join(["", "| class | mistakes |", "|---|---|", *lines, ""]) if lines else ""


def _dataset(about: Mapping[str, Any], safe: Callable[[str], str]) -> str:
    name = safe(about.get("name") or "") or "a data set that is not there any more"
    return f"{name}, version `{about['version'][:12]}`"


def _filled(name: str, values: Mapping[str, Any]) -> str:
    return Template((HERE / name).read_text(encoding="utf-8")).substitute(values)
