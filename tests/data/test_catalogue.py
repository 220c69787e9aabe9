"""The list of data sets: names that are free, and sets that are gone."""

import pytest

from core.data import edits
from core.data.catalogue import delete_dataset, rename_dataset
from core.data.table import list_datasets, load_dataset
from core.errors import DataError, NotFound
from tests.conftest import make_toy


def test_a_set_gets_another_name_and_stays_the_same_otherwise(tmp_path):
    toy = make_toy(tmp_path)
    renamed = rename_dataset(toy, "  my  pets ")
    assert renamed.name == "my pets" and (renamed.id, renamed.version) == (toy.id, toy.version)
    assert edits.history(renamed) == edits.history(toy)
    assert rename_dataset(renamed, "my pets").name == "my pets"


@pytest.mark.parametrize("name", ["taken", "", "x" * 65, "a\x00b"])
def test_a_name_that_is_taken_or_none_is_refused(tmp_path, name):
    toy = make_toy(tmp_path)
    make_toy(tmp_path, name="taken")
    with pytest.raises(DataError):
        rename_dataset(toy, name)
    assert load_dataset(toy.workspace, toy.id).name == "toy"


def test_an_edit_after_a_renaming_keeps_the_new_name(tmp_path):
    toy = make_toy(tmp_path)
    rename_dataset(toy, "pets")
    edits.delete(toy, ["0"])
    assert load_dataset(toy.workspace, toy.id).name == "pets"


def test_a_deleted_set_is_gone_with_its_pictures(tmp_path):
    toy, other = make_toy(tmp_path), make_toy(tmp_path, name="other")
    delete_dataset(toy)
    assert [dataset.id for dataset in list_datasets(other.workspace)] == [other.id]
    assert not toy.path.exists()
    with pytest.raises(NotFound):
        delete_dataset(toy)
    with pytest.raises(NotFound):
        rename_dataset(toy, "again")


def test_a_deletion_that_was_killed_leaves_no_data_set(tmp_path, monkeypatch):
    toy = make_toy(tmp_path)

    def killed(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("core.data.catalogue.remove_tree", killed)
    with pytest.raises(KeyboardInterrupt):
        delete_dataset(toy)
    assert list_datasets(toy.workspace) == []
