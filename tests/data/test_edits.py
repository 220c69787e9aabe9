"""Edits make versions, can be taken back as a whole, and lose nothing when somebody else edits at the same time."""

import json

import pytest

from core.data import edits, ledger
from core.data.edits import Mark
from core.data.table import load_dataset, version_of
from core.errors import DataError, SettingsError
from tests.conftest import make_toy


@pytest.fixture
def pets(tmp_path):
    return make_toy(tmp_path, per_class=4, classes=2)


def labels(dataset):
    return dict(zip(dataset.items()["item"], dataset.items()["label"], strict=True))


def again(dataset):
    return load_dataset(dataset.workspace, dataset.id)


def test_relabelling_makes_a_new_version_whose_parent_is_the_old_one(pets):
    made = edits.relabel(pets, {"0": "g", "1": "g"})
    assert (made.changed, made.skipped) == (2, ())
    assert labels(made.dataset) == labels(pets) | {"0": "g", "1": "g"}
    assert made.dataset.parent == pets.version != made.dataset.version
    assert made.dataset == again(pets)
    assert made.dataset.version == version_of(made.dataset.items())


def test_a_deleted_picture_lies_in_the_bin_until_it_is_restored(pets):
    gone = edits.delete(pets, ["0"]).dataset
    assert "0" not in set(gone.kept()["item"]) and len(gone.items()) == 8
    assert gone.image_path(gone.items()["file"][0]).exists()
    back = edits.restore(gone, ["0"]).dataset
    assert back.version == pets.version


def test_marks_are_carried_out_as_one_edit_and_taken_back_as_one(pets):
    marks = {"0": Mark("delete", was="r"), "1": Mark("relabel", "g", was="r"), "2": Mark("keep", was="r")}
    made = edits.clean(pets, marks)
    assert made.changed == 2
    assert [entry.words for entry in edits.history(made.dataset)][
        0
    ] == "cleaned: deleted 1 picture, relabelled 1 picture"
    assert edits.undo(made.dataset).dataset.version == pets.version
    assert edits.redo(made.dataset).dataset.version == made.dataset.version


def test_a_mark_on_a_picture_that_has_changed_meanwhile_is_left_alone_and_named(pets):
    edits.relabel(pets, {"0": "g"})
    made = edits.clean(pets, {"0": Mark("delete", was="r"), "1": Mark("delete", was="r"), "nobody": Mark("delete")})
    assert made.changed == 1 and set(made.skipped) == {"0", "nobody"}
    assert labels(made.dataset)["0"] == "g" and "0" in set(made.dataset.kept()["item"])


def test_edits_are_taken_back_one_after_the_other_and_done_again_in_order(pets):
    versions = [pets.version]
    now = pets
    for item in ("0", "1", "2"):
        now = edits.relabel(now, {item: "g"}).dataset
        versions.append(now.version)
    for version in versions[2::-1]:
        assert edits.undo(now).dataset.version == version
    with pytest.raises(DataError, match="nothing to take back"):
        edits.undo(now)
    for version in versions[1:]:
        assert edits.redo(now).dataset.version == version
    with pytest.raises(DataError, match="nothing to do again"):
        edits.redo(now)


def test_a_new_edit_after_taking_back_forgets_what_could_be_done_again(pets):
    edits.relabel(pets, {"0": "g"})
    edits.undo(pets)
    edits.delete(pets, ["3"])
    with pytest.raises(DataError, match="nothing to do again"):
        edits.redo(pets)
    assert [(entry.kind, entry.undone) for entry in edits.history(pets)] == [("delete", False), ("import", False)]


def test_an_edit_that_changes_nothing_leaves_no_trace(pets):
    before = (pets.path / "edits.jsonl").read_bytes()
    assert edits.relabel(pets, {"0": "r"}).changed == 0
    assert (pets.path / "edits.jsonl").read_bytes() == before


def test_the_same_picture_under_the_same_label_counts_once(pets):
    items = pets.items()
    twin = {**items.iloc[0].to_dict(), "item": "99", "label": "g"}
    edits.edit(pets, "add", "added a twin", lambda now, table: edits.Plan(rows=[twin]))
    made = edits.relabel(pets, {"0": "g"}).dataset
    assert made.kept().duplicated(["file", "label"]).sum() == 0
    assert edits.undo(made).dataset.kept()["item"].tolist() == [*items["item"], "99"]


def test_moving_the_seed_is_an_edit_that_keeps_labels_and_remembers_the_seed(pets):
    made = edits.resplit(pets, valid_share=0.5, seed=9).dataset
    assert (made.seed, made.valid_share) == (9, 0.5)
    assert (made.kept()["split"] == "valid").sum() == 4
    back = edits.undo(made).dataset
    assert (back.seed, back.valid_share, back.version) == (pets.seed, pets.valid_share, pets.version)


def test_emptying_the_bin_keeps_the_version_and_ends_what_can_be_taken_back(pets):
    gone = edits.delete(pets, ["0"]).dataset
    sha = gone.items()["file"][0]
    emptied = edits.empty_bin(gone).dataset
    assert emptied.version == gone.version and len(emptied.items()) == 7
    assert not emptied.image_path(sha).exists()
    with pytest.raises(DataError, match="nothing to take back"):
        edits.undo(emptied)


def test_a_picture_in_the_bin_under_one_label_stays_stored_while_another_row_needs_it(pets):
    twin = {**pets.items().iloc[0].to_dict(), "item": "99", "label": "g"}
    edits.edit(pets, "add", "added a twin", lambda now, table: edits.Plan(rows=[twin]))
    edits.delete(pets, ["0"])
    emptied = edits.empty_bin(pets).dataset
    assert emptied.image_path(twin["file"]).exists()


@pytest.mark.parametrize(
    "step", ["after the plan", "after the table", "after the record", "after the line", "before the plan"]
)
def test_an_edit_cut_off_anywhere_is_there_in_full_or_not_at_all(pets, monkeypatch, step):
    class Killed(BaseException):
        pass

    def die(*args, **kwargs):
        raise Killed

    target = {
        "before the plan": "write_json",
        "after the plan": "_carry_out",
        "after the table": "write_json",
        "after the record": "append_line",
        "after the line": None,
    }[step]
    calls = []
    with monkeypatch.context() as patch:
        if step == "after the line":
            patch.setattr(type(pets.path), "unlink", die)
        elif step == "after the plan":
            patch.setattr(ledger, target, _after_first(die))
        elif step == "after the table":
            real = ledger.write_json
            patch.setattr(ledger, "write_json", lambda *a: die() if calls else calls.append(real(*a)))
        else:
            patch.setattr(ledger, target, die)
        with pytest.raises(Killed):
            edits.relabel(pets, {"0": "g"})
    found = again(pets)
    counts = step != "before the plan"
    assert labels(found)["0"] == ("g" if counts else "r")
    assert found.version == version_of(found.items())
    assert not (pets.path / ledger.PLAN).exists()
    assert [entry.kind for entry in edits.history(found)] == (["relabel", "import"] if counts else ["import"])


def _after_first(die):
    """Carry out what was left before, then be killed when it is this edit's turn."""
    calls = []

    def carry_out(folder):
        if calls:
            die()
        calls.append(folder)

    return carry_out


@pytest.mark.parametrize("mark", [("burn", ""), ("relabel", ""), ("delete", "cat")])
def test_a_mark_that_means_nothing_is_refused(mark):
    with pytest.raises(SettingsError):
        Mark(*mark)


def test_more_than_200_classes_are_refused_and_nothing_changes(tmp_path):
    many = make_toy(tmp_path, per_class=4, classes=2)
    twins = [{**many.items().iloc[0].to_dict(), "item": f"{n:06d}", "label": f"c{n}"} for n in range(100, 299)]
    with pytest.raises(DataError, match="201 classes"):
        edits.edit(many, "add", "too many", lambda now, table: edits.Plan(rows=twins))
    assert again(many).version == many.version


def test_every_line_of_the_ledger_is_json_with_a_schema(pets):
    edits.relabel(pets, {"0": "g"})
    edits.undo(pets)
    lines = [json.loads(line) for line in (pets.path / "edits.jsonl").read_text().splitlines()]
    assert [line["edit"] for line in lines] == ["import", "relabel", "undo"]
    assert all(line["schema"] == 1 for line in lines)
