"""What makes data sets on request: an import takes its table of labels with it, and clears up uploads afterwards."""

import numpy as np
import pytest

from core.data.table import load_dataset
from core.train import runs
from core.workspace import Workspace
from tests.conftest import colour_jpeg


@pytest.mark.parametrize("together", [True, False])
def test_an_uploaded_table_of_labels_is_used_and_deleted_with_the_upload(tmp_path, together):
    workspace, rng = Workspace(tmp_path), np.random.default_rng(0)
    _, photos = workspace.create("uploads")
    table = (photos if together else workspace.create("uploads")[1]) / "labels.csv"
    table.write_text("file;label\n" + "".join(f"{n};{'cat' if n % 2 else 'dog'}\n" for n in range(6)))
    (photos / "flat").mkdir()
    for number in range(6):
        (photos / "flat" / f"{number}.jpg").write_bytes(colour_jpeg(rng, number % 3))
    request = {"source": str(photos / "flat"), "labels": str(table), "name": "n", "valid_share": 0.34, "seed": 1}
    run = runs.create_run(workspace, "import", {**request, "delete_source": True})
    made = list(runs.perform(run, lambda: False))[-1]
    assert load_dataset(workspace, made.dataset).classes == ("cat", "dog") and made.kept == 6
    assert not photos.exists() and not table.parent.exists()
