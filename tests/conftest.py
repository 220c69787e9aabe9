"""What several test files share: a small data set of coloured pictures, and where the reference numbers lie."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.table import COLUMNS, Dataset, create_dataset
from core.workspace import Workspace

REFERENCE = Path(__file__).parent / "reference"


@pytest.fixture(scope="session")
def reference() -> dict:
    """Numbers of the reference library."""
    return json.loads((REFERENCE / "fastai_numbers.json").read_text())


def colour_jpeg(rng: np.random.Generator, channel: int, size: int = 64) -> bytes:
    """Noise with one channel pushed up: easy to tell apart, never twice the same."""
    noise = rng.integers(0, 180, (8, 8, 3)).astype("uint8")
    noise[..., channel] += 70
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((size, size)).save(buffer, "JPEG")
    return buffer.getvalue()


def make_toy(home: Path, *, per_class: int = 12, classes: int = 3, seed: int = 0, name: str = "toy") -> Dataset:
    """A data set of `classes` colours with every fourth picture on the validation side."""
    workspace = Workspace(home)
    made, path = workspace.create("datasets")
    (path / "images").mkdir()
    rng, rows = np.random.default_rng(seed), []
    for number in range(classes * per_class):
        label, place = "rgb"[number // per_class], number % per_class
        data = colour_jpeg(rng, number // per_class)
        sha = hashlib.sha256(data).hexdigest()
        (path / "images" / f"{sha}.jpg").write_bytes(data)
        side = "valid" if place % 4 == 3 else "train"
        rows.append((str(number), sha, label, side, 64, 64, "test", f"{number}.jpg", "kept", ""))
    items = pd.DataFrame(rows, columns=COLUMNS)
    return create_dataset(workspace, made, items, name=name, seed=0, valid_share=0.25, source="test")


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A small data set that tests read and never change; its activations are computed once."""
    return make_toy(tmp_path_factory.mktemp("toy"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright's event loop stays in the thread to the end, and others want one too."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
