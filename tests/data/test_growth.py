"""A data set grows batch by batch: what was listed stays, what was there keeps its side, nothing is listed twice."""

import numpy as np
import pytest

from core.data import edits
from core.data.events import DataReady
from core.data.growth import Growth, extend
from core.data.images import reencode
from core.data.loose import loose_pictures
from core.data.shelf import Picture, Rejected, read_report
from core.data.table import create_empty, load_dataset, version_of
from core.errors import DataError
from core.settings import ImportSettings
from core.workspace import Workspace
from tests.conftest import colour_jpeg, make_toy


@pytest.fixture
def draft(tmp_path):
    return create_empty(Workspace(tmp_path), name="mine", settings=ImportSettings())


def photos(count, *, channel=0, seed=0):
    rng = np.random.default_rng(seed)
    return [colour_jpeg(rng, channel) for _ in range(count)]


def pictures(label, count, **options):
    return [Picture(data, label, f"{n}.jpg") for n, data in enumerate(photos(count, **options))]


def grown(dataset, entries, **options):
    *_, last = extend(dataset, entries, source="upload", words="added pictures", **options)
    return load_dataset(dataset.workspace, dataset.id), last


def test_a_draft_has_no_pictures_and_cannot_be_trained_yet(draft):
    assert len(draft.items()) == 0 and draft.classes == () and not draft.trainable


def test_a_draft_grows_class_by_class_until_it_can_be_trained(draft):
    one, ready = grown(draft, pictures("cat", 5))
    assert one.classes == ("cat",) and not one.trainable and ready.added == 5
    two, ready = grown(one, pictures("dog", 5, channel=1))
    assert two.trainable and (ready.kept, ready.train, ready.valid) == (10, 8, 2)
    assert two.items()["item"].tolist() == [f"{n:06d}" for n in range(1, 11)]
    assert two.version == version_of(two.items())


def test_pictures_that_were_there_keep_their_side(draft):
    one, _ = grown(draft, pictures("cat", 10))
    before = dict(zip(one.items()["item"], one.items()["split"], strict=True))
    two, _ = grown(one, pictures("cat", 20, seed=1))
    after = dict(zip(two.items()["item"], two.items()["split"], strict=True))
    assert {item: after[item] for item in before} == before
    assert sum(side == "valid" for side in after.values()) == 6


def test_a_picture_is_listed_once_and_the_report_says_why(draft):
    entries = pictures("cat", 3)
    one, _ = grown(draft, entries)
    two, ready = grown(one, [*entries[:1], *pictures("cat", 1, seed=5)])
    assert len(two.kept()) == 4 and ready.added == 1
    assert ready.rejected[0]["reason"] == "The same picture is in this class already."
    assert [row["code"] for row in read_report(two.path / "rejected" / "report.csv")] == ["duplicate"]


def test_a_deleted_picture_does_not_come_back_by_itself(draft):
    entries = pictures("cat", 3)
    one, _ = grown(draft, entries)
    edits.delete(one, ["000001"])
    two, ready = grown(one, entries)
    assert len(two.kept()) == 2 and ready.added == 0
    assert "bin" in ready.rejected[0]["reason"]


def test_taking_growth_back_puts_the_pictures_into_the_bin(draft):
    one, _ = grown(draft, pictures("cat", 3))
    back = edits.undo(one).dataset
    assert back.classes == () and len(back.items()) == 3
    assert edits.redo(one).dataset.version == one.version


def test_files_that_are_no_pictures_are_named_and_the_rest_goes_on(draft):
    entries = [
        Picture(b"<html>", "cat", "page.jpg"),
        Rejected("a.txt", "A .txt file is not a picture."),
        *pictures("cat", 2),
    ]
    made, ready = grown(draft, entries)
    assert ready.added == 2 and [row["name"] for row in ready.rejected] == ["page.jpg", "a.txt"]
    kept = read_report(made.path / "rejected" / "report.csv")
    assert (made.path / "rejected" / kept[0]["file"]).read_bytes() == b"<html>"


def test_nothing_usable_for_an_empty_set_is_an_error_with_the_first_reason(draft):
    with pytest.raises(DataError, match="None of these 1 files can be used. The first, x.jpg"):
        grown(draft, [Picture(b"no", "cat", "x.jpg")])


def test_what_was_stored_before_a_stop_is_listed(draft):
    asked = []

    def stream():
        yield from pictures("cat", 27)
        asked.append(True)
        yield from pictures("cat", 9, seed=9)

    events = list(extend(draft, stream(), source="upload", words="w", workers=1, stop=lambda: bool(asked)))
    assert not any(isinstance(event, DataReady) for event in events)
    assert len(load_dataset(draft.workspace, draft.id).kept()) == 27


def test_two_that_grow_one_set_at_once_list_the_same_picture_once(draft):
    left, right = (Growth(draft, source="upload", words="w") for _ in range(2))
    made = reencode(photos(1)[0])
    for growth in (left, right):
        assert growth.keep(Picture(made, "cat", "1.jpg"), made) == "saved"
    left.commit()
    assert len(right.commit().kept()) == 1


def test_a_picture_lost_from_the_store_while_it_waits_is_stored_again(draft):
    growth, made = Growth(draft, source="upload", words="w"), reencode(photos(1)[0])
    growth.keep(Picture(made, "cat", "1.jpg"), made)
    draft.image_path(made.sha).unlink()
    assert growth.commit().image_path(made.sha).read_bytes() == made.jpeg


def test_a_pictures_own_source_is_written_down(draft):
    made, _ = grown(draft, [Picture(photos(1)[0], "cat", "a.jpg", source="https://example.org/a.jpg")])
    assert made.items()["source"].tolist() == ["https://example.org/a.jpg"]


def test_loose_files_of_any_layout_become_one_class(tmp_path):
    folder = tmp_path / "in"
    (folder / "deep" / "er").mkdir(parents=True)
    first, second = photos(2)
    (folder / "a.jpg").write_bytes(first)
    (folder / "deep" / "er" / "b").write_bytes(second)
    (folder / "notes.txt").write_text("hello")
    (folder / ".DS_Store").write_text("x")
    with loose_pictures(folder, label=" Cat ") as (entries, total):
        found = list(entries)
    assert total == 3
    assert sorted(entry.original_name for entry in found if isinstance(entry, Picture)) == ["a.jpg", "deep/er/b"]
    assert {entry.label for entry in found if isinstance(entry, Picture)} == {"Cat"}


def test_growth_of_a_toy_set_goes_on_counting_items(tmp_path):
    toy = make_toy(tmp_path, per_class=2, classes=2)
    made, _ = grown(toy, pictures("r", 1, seed=77))
    assert made.items()["item"].iloc[-1] == "000004"


def test_what_was_listed_in_several_batches_is_taken_back_as_one(draft):
    growth = Growth(draft, source="upload", words="added pictures")
    for place, data in enumerate(photos(3)):
        made = reencode(data)
        growth.keep(Picture(made, "cat", f"{place}.jpg"), made)
        growth.commit()
    assert [(entry.kind, entry.count) for entry in edits.history(draft)][0] == ("add", 3)
    assert len(edits.undo(growth.dataset).dataset.kept()) == 0
    assert len(edits.redo(growth.dataset).dataset.kept()) == 3


def test_two_uploads_one_after_the_other_are_taken_back_one_by_one(draft):
    one, _ = grown(draft, pictures("cat", 2))
    two, _ = grown(one, pictures("cat", 2, seed=3))
    assert len(edits.undo(two).dataset.kept()) == 2
