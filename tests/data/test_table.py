"""The table of items: it survives the trip to the disk, its hash is its version, and a data set is published whole."""

from __future__ import annotations

import json
import threading

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.table import (
    COLUMNS,
    check_free_name,
    check_name,
    create_dataset,
    items_to_csv,
    list_datasets,
    load_dataset,
    read_items,
    version_of,
)
from core.errors import DataError, NewerVersion, NotFound, WorkspaceError
from core.workspace import SCHEMA, Workspace, new_id, read_lines


def table(*labels: str, **columns) -> pd.DataFrame:
    rows = [
        {
            "item": f"{number:06d}",
            "file": f"{number:064x}",
            "label": label,
            "split": "train",
            "width": 30,
            "height": 20,
            "source": "test",
            "original_name": f"{label}/{number}.jpg",
            "status": "kept",
            "note": "",
        }
        | columns
        for number, label in enumerate(labels)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def publish(workspace: Workspace, name: str = "pets", items: pd.DataFrame | None = None):
    made, _ = workspace.create("datasets")
    items = table("cat", "dog") if items is None else items
    return create_dataset(workspace, made, items, name=name, seed=42, valid_share=0.2, source="test")


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path)


CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=20)


@settings(max_examples=40)
@given(CELLS, CELLS)
def test_any_shown_name_survives_the_trip(tmp_path_factory, name, note):
    path = tmp_path_factory.mktemp("table") / "items.csv"
    items = table("cat", original_name=name, note=note)
    path.write_text(items_to_csv(items), encoding="utf-8")
    found = read_items(path)
    assert found.to_dict("records") == items.to_dict("records")
    assert version_of(found) == version_of(items)


@pytest.mark.parametrize(
    "cell", ["NA", "nan", "", "null", "007", "1e5", " x ", '"', ",", "#", "# bearings items, schema 9", "=1"]
)
def test_words_that_look_like_numbers_or_nothing_stay_words(tmp_path, cell):
    path = tmp_path / "items.csv"
    items = table("cat", label=cell, note=cell)
    path.write_text(items_to_csv(items), encoding="utf-8")
    assert read_items(path).to_dict("records") == items.to_dict("records")


def test_the_version_changes_with_what_training_sees_and_with_nothing_else():
    items = table("cat", "dog")
    versions = {version_of(items), version_of(items.iloc[::-1])}
    for column in ("file", "label", "split", "status"):
        changed = items.copy()
        changed.loc[1, column] = 99 if column in ("width", "height") else "other"
        versions.add(version_of(changed))
    assert len(versions) == 6
    for column in set(COLUMNS) - {"file", "label", "split", "status"}:
        changed = items.copy()
        changed.loc[1, column] = 99 if column in ("width", "height") else "other"
        assert version_of(changed) == version_of(items)
    assert version_of(items) == version_of(items.copy())


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("", WorkspaceError, "is damaged"),
        ("item,file\n1,2\n", WorkspaceError, "is damaged"),
        ("# bearings items, schema x\n", WorkspaceError, "is damaged"),
        (f"# bearings items, schema {SCHEMA}\nitem,file\n1,2\n", WorkspaceError, "other columns"),
        (f"# bearings items, schema {SCHEMA + 1}\nitem,file\n1,2\n", NewerVersion, "has version"),
    ],
)
def test_a_damaged_or_newer_table_is_refused_with_a_sentence(tmp_path, text, error, sentence):
    (tmp_path / "items.csv").write_text(text)
    with pytest.raises(error, match=f"items.csv.* {sentence}"):
        read_items(tmp_path / "items.csv")


@pytest.mark.parametrize(
    "body",
    ["", ",".join(COLUMNS) + "\n1,2,3\n", ",".join(COLUMNS) + "\n" + ",".join("x" * 10) + "\n"],
    ids=["nothing", "short row", "no numbers"],
)
def test_a_table_cut_short_is_refused_with_a_sentence(tmp_path, body):
    (tmp_path / "items.csv").write_text(f"# bearings items, schema {SCHEMA}\n{body}")
    with pytest.raises(WorkspaceError, match="items.csv"):
        read_items(tmp_path / "items.csv")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "items.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(WorkspaceError, match="items.csv is damaged"):
        read_items(tmp_path / "items.csv")


def test_a_missing_table_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="items.csv is missing"):
        read_items(tmp_path / "items.csv")


def test_a_published_data_set_is_found_by_id_and_by_name(workspace):
    made = publish(workspace, items=table("dog", "cat", "cat"))
    assert load_dataset(workspace, made.id) == load_dataset(workspace, "pets") == made
    assert made.classes == ("cat", "dog") and made.version == version_of(made.items())
    edits, _ = read_lines(made.path / "edits.jsonl")
    assert [(edit["edit"], edit["version"]) for edit in edits] == [("import", made.version)]


def test_only_kept_rows_count(workspace):
    items = table("cat", "dog", "owl")
    items.loc[2, "status"] = "deleted"
    made = publish(workspace, items=items)
    assert made.classes == ("cat", "dog") and list(made.kept()["label"]) == ["cat", "dog"] and len(made.items()) == 3


def test_a_folder_without_its_last_file_is_no_data_set(workspace):
    made = publish(workspace)
    (made.path / "dataset.json").unlink()
    assert list_datasets(workspace) == []
    with pytest.raises(NotFound):
        load_dataset(workspace, "pets")
    with pytest.raises(NotFound, match="dataset.json is missing"):
        load_dataset(workspace, made.id)


def test_a_newer_or_damaged_data_set_is_refused_and_does_not_hide_the_others(workspace):
    good, newer, damaged = (publish(workspace, name) for name in ("good", "newer", "damaged"))
    record = json.loads((newer.path / "dataset.json").read_text())
    (newer.path / "dataset.json").write_text(json.dumps(record | {"schema": SCHEMA + 1}))
    (damaged.path / "dataset.json").write_text("{")
    with pytest.raises(NewerVersion, match="dataset.json has version"):
        load_dataset(workspace, newer.id)
    with pytest.raises(WorkspaceError, match="dataset.json is damaged"):
        load_dataset(workspace, damaged.id)
    assert list_datasets(workspace) == [good]


def test_a_name_is_taken_once_even_by_two_at_a_time(workspace):
    outcomes = []

    def work():
        try:
            outcomes.append(publish(workspace).name)
        except DataError as error:
            outcomes.append(error.message)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[3] == "pets" and len(set(outcomes)) == 2
    with pytest.raises(DataError, match="called 'pets' already"):
        check_free_name(workspace, " pets ")


def test_data_sets_of_other_owners_are_not_there(workspace, tmp_path):
    made = publish(workspace)
    other = Workspace(tmp_path, owner=new_id())
    assert list_datasets(other) == []
    for wanted in (made.id, "pets"):
        with pytest.raises(NotFound, match="There are: none yet"):
            load_dataset(other, wanted)


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\x00b", "a\u202eb"])
def test_names_that_cannot_be_shown_are_refused(name):
    with pytest.raises(DataError, match="1 to 64 printable characters"):
        check_name(name)


def test_names_are_trimmed():
    assert check_name("  my   pets ") == "my pets" and check_name("Bären – 猫") == "Bären – 猫"
