"""Models that somebody brought: kept clean, once, for their owner alone, and gone when they are deleted."""

import io
import zipfile

import pytest
from PIL import Image

from core.deploy import imported
from core.deploy.bundle import SCRIPT, export_bundle
from core.deploy.imported import delete_imported, find_imported, import_model, list_imported
from core.deploy.model_file import load_bundle
from core.deploy.predictor import Predictor
from core.errors import ModelError, NotFound
from core.workspace import Workspace, is_id, new_id
from tests.deploy.bundles import exported, random_bundle, rewrite


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home")


def picture():
    buffer = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def test_a_model_that_was_brought_answers_as_it_did_where_it_came_from(workspace, tmp_path):
    whole = exported(tmp_path / "m.zip")
    kept = import_model(workspace, tmp_path / "m.zip")
    assert is_id(kept.id) and kept.path == workspace.root / "models" / f"{kept.id}.zip"
    said = Predictor(find_imported(workspace, kept.id).bundle()).predict([picture()])[0]
    assert said.probabilities == Predictor(whole).predict([picture()])[0].probabilities
    assert [model.id for model in list_imported(workspace)] == [kept.id]


def test_only_the_numbers_and_the_card_are_kept(workspace, tmp_path):
    exported(tmp_path / "m.zip")
    rewrite(tmp_path / "m.zip", tmp_path / "evil.zip", {SCRIPT: b"import os; os.mkdir('/tmp/evil')"})
    kept = import_model(workspace, tmp_path / "evil.zip")
    assert sorted(zipfile.ZipFile(kept.path).namelist()) == ["bearings.json", "model.safetensors"]
    export_bundle(kept.bundle(), tmp_path / "again.zip")
    assert b"evil" not in zipfile.ZipFile(tmp_path / "again.zip").read(SCRIPT)


def test_what_is_taken_along_again_is_the_same_model(workspace, tmp_path):
    exported(tmp_path / "m.zip")
    kept = import_model(workspace, tmp_path / "m.zip")
    export_bundle(kept.bundle(), tmp_path / "again.zip")
    assert load_bundle(tmp_path / "again.zip").card == load_bundle(tmp_path / "m.zip").card


def test_the_same_model_is_kept_once(workspace, tmp_path):
    exported(tmp_path / "m.zip")
    first = import_model(workspace, tmp_path / "m.zip")
    assert import_model(workspace, tmp_path / "m.zip") == first and len(list_imported(workspace)) == 1


def test_the_shelf_has_an_end(workspace, tmp_path, monkeypatch):
    monkeypatch.setattr(imported, "KEPT_MAX", 1)
    for seed in (1, 2):
        exported(tmp_path / f"{seed}.zip", seed=seed)
    import_model(workspace, tmp_path / "1.zip")
    with pytest.raises(ModelError, match="there is room for 1"):
        import_model(workspace, tmp_path / "2.zip")


def test_another_owner_does_not_find_it(workspace, tmp_path):
    exported(tmp_path / "m.zip")
    kept = import_model(workspace, tmp_path / "m.zip")
    other = Workspace(workspace.home, new_id())
    assert list_imported(other) == []
    for wanted in (kept.id, "..", f"../local/models/{kept.id}", ""):
        with pytest.raises(NotFound):
            find_imported(other, wanted)


def test_a_deleted_model_is_gone(workspace, tmp_path):
    exported(tmp_path / "m.zip")
    kept = import_model(workspace, tmp_path / "m.zip")
    delete_imported(kept)
    delete_imported(kept)  # a second tab
    assert list_imported(workspace) == []
    with pytest.raises(NotFound):
        find_imported(workspace, kept.id)


def test_a_file_that_was_damaged_on_the_shelf_does_not_hide_the_others(workspace, tmp_path, caplog):
    exported(tmp_path / "m.zip")
    kept = import_model(workspace, tmp_path / "m.zip")
    (workspace.root / "models" / f"{new_id()}.zip").write_bytes(b"PK")
    assert [model.id for model in list_imported(workspace)] == [kept.id] and "left out" in caplog.text


def test_a_model_without_its_body_is_kept_where_the_body_is_here(workspace, tmp_path):
    from core.deploy.bundle import write_bundle

    write_bundle(random_bundle("lite0", body=False), tmp_path / "m.zip")
    assert import_model(workspace, tmp_path / "m.zip").card["architecture"]["body"] == "pretrained"
