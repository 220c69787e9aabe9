"""Quality checks: each finds the pictures planted for it among ordinary ones, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from core.data import quality
from core.data.looks import MEASURES, Looks, look_of
from core.data.quality import CHECKS, COLUMNS, counts, inspect, remarks
from core.data.samples.bears import draw_scene, scene_seed
from core.data.shortcuts import TRAITS, shortcuts, told_apart
from tests.scenes import cropped, lit, out_of_focus, scene, shaken

SIZE = (192, 144)


def set_of(pictures, labels=None, splits=None, files=None) -> tuple[pd.DataFrame, Looks]:
    """A table of items and the looks of its pictures; every picture is a file of its own unless `files` says so."""
    files = files or [f"sha{place}" for place in range(len(pictures))]
    seen = {file: look_of(picture) for file, picture in zip(files, pictures, strict=True)}
    table = pd.DataFrame([[getattr(look, name) for name in MEASURES] for look in seen.values()], columns=list(MEASURES))
    table.insert(0, "file", list(seen))
    items = pd.DataFrame(
        {
            "item": [f"{place:03d}" for place in range(len(pictures))],
            "file": files,
            "label": labels or ["cat", "dog"] * (len(pictures) // 2) + ["cat"] * (len(pictures) % 2),
            "split": splits or ["train"] * len(pictures),
            "width": [picture.width for picture in pictures],
            "height": [picture.height for picture in pictures],
        }
    )
    return items, Looks(table, np.array([look.signature for look in seen.values()]))


@pytest.fixture(scope="module")
def ordinary() -> list[Image.Image]:
    return [scene(seed, SIZE) for seed in range(24)]


def dim(picture: Image.Image) -> Image.Image:
    return lit(picture, 0.25)


def foggy(picture: Image.Image) -> Image.Image:
    return Image.blend(picture, Image.new("RGB", picture.size, "white"), 0.8)


def blank(picture: Image.Image) -> Image.Image:
    return Image.new("RGB", picture.size, (90, 120, 200))


def nearly_blank(picture: Image.Image) -> Image.Image:
    made = Image.new("RGB", picture.size, (250, 250, 250))
    ImageDraw.Draw(made).text((60, 60), "404", fill=(20, 20, 20))
    return made


def black(picture: Image.Image) -> Image.Image:
    return Image.new("RGB", picture.size)


def longer(picture: Image.Image) -> Image.Image:
    return picture.resize((4 * picture.width // 2, picture.height // 2))


def tiny(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width // 3, picture.height // 3))


PLANTED = {
    "dark": [dim],
    "light": [foggy],
    "blurry": [out_of_focus, shaken, lambda picture: tiny(tiny(picture)).resize(SIZE)],
    "low_information": [blank, nearly_blank, black],
    "odd_size": [tiny],
    "odd_shape": [longer],
}


@pytest.mark.parametrize("check", PLANTED)
def test_each_check_finds_what_was_planted_and_no_other_finds_anything(ordinary, check):
    planted = [change(scene(100 + place, SIZE)) for place, change in enumerate(PLANTED[check])]
    issues = inspect(*set_of([*ordinary, *planted]))
    assert set(issues["check"]) == {check}
    assert sorted(issues["item"]) == [f"{24 + place:03d}" for place in range(len(planted))]
    assert issues["score"].between(0, 1).all() and issues["words"].str.len().min() > 10
    assert counts(issues)[check] == len(planted)


def test_ordinary_pictures_and_drawn_bears_have_no_issues(ordinary):
    issues = inspect(*set_of(ordinary))
    assert issues.empty and tuple(issues.columns) == COLUMNS and set(counts(issues).values()) == {0}
    labels = [label for label in ("black", "grizzly", "teddy") for _ in range(3)]
    bears = [draw_scene(label, seed=scene_seed(0, place % 3)).image for place, label in enumerate(labels)]
    assert inspect(*set_of(bears, labels)).empty


def test_night_photos_with_lamps_and_objects_on_black_or_white_are_fine(ordinary):
    lamp = dim(ordinary[0])
    ImageDraw.Draw(lamp).ellipse((80, 20, 110, 50), fill=(255, 240, 200))
    on_black, on_white = Image.new("RGB", SIZE), Image.new("RGB", SIZE, "white")
    for ground, other in ((on_black, ordinary[1]), (on_white, ordinary[2])):
        ground.paste(other.crop((40, 30, 150, 120)), (40, 30))
    issues = inspect(*set_of([*ordinary[3:], lamp, on_black, on_white]))
    assert issues.empty, issues


@pytest.mark.parametrize(("check", "change", "words"), [
    ("dark", dim, "very dark"), ("light", foggy, "washed out"), ("blurry", out_of_focus, "blurred"),
    ("low_information", blank, "almost empty"),
])  # fmt: skip
def test_what_a_third_of_the_set_shares_is_said_once(ordinary, check, change, words):
    issues = inspect(*set_of([*ordinary[:16], *(change(picture) for picture in ordinary[16:])]))
    [row] = issues[issues["check"] == check].itertuples()
    assert (row.item, row.group) == ("", "") and words in row.words and row.words.startswith("33%")
    assert counts(issues)[check] == 0 and row.words in remarks(issues)


def test_a_file_that_is_lost_is_an_issue_and_spoils_no_other_check(ordinary):
    items, looks = set_of(ordinary)
    table = looks.table.copy()
    table.loc[3, list(MEASURES)] = np.nan
    signatures = looks.signatures.copy()
    signatures[3] = 0
    issues = inspect(items, Looks(table, signatures))
    assert issues[["check", "item"]].to_numpy().tolist() == [["unreadable", "003"]]


def test_one_file_under_two_labels_comes_before_one_file_twice(ordinary):
    files = [f"sha{place}" for place in range(24)] + ["sha2", "sha5"]
    labels = ["cat"] * 12 + ["dog"] * 12 + ["cat", "dog"]
    issues = inspect(*set_of([*ordinary, ordinary[2], ordinary[5]], labels, files=files))
    assert issues["check"].tolist() == ["exact"] * 4
    assert issues["item"].tolist() == ["005", "025", "002", "024"] and issues["group"].nunique() == 2
    assert "as 'cat' and 'dog': only one can be right" in issues["words"][0] and "once is enough" in issues["words"][2]


def test_near_copies_say_when_labels_or_sides_differ(ordinary):
    pictures = [*ordinary, cropped(ordinary[0]), lit(ordinary[1]), ImageEnhance.Sharpness(ordinary[2]).enhance(1.3)]
    labels = ["cat"] * 24 + ["dog", "cat", "cat"]
    splits = ["train"] * 25 + ["valid", "train"]
    issues = inspect(*set_of(pictures, labels, splits))
    assert set(issues["check"]) == {"near"} and set(issues["score"] >= 0.93) == {True}
    words = issues.drop_duplicates("group").set_index("item")["words"].to_dict()
    assert {frozenset(rows["item"]) for _, rows in issues.groupby("group")} == {
        frozenset(pair) for pair in (("000", "024"), ("001", "025"), ("002", "026"))
    }
    told = {row.item: row.words for row in issues.itertuples()}
    assert told["024"] == "2 pictures are nearly the same, but they are called 'cat' and 'dog'."
    assert "some for validation" in told["001"] and told["026"] == "2 pictures are nearly the same."
    assert len(words) == 3


def test_activations_reach_the_search_for_near_copies(ordinary, monkeypatch):
    seen = []
    monkeypatch.setattr(
        quality, "near_pairs", lambda looks, activations=None: (seen.append(activations), near(looks))[1]
    )
    near = __import__("core.data.similar", fromlist=["near_pairs"]).near_pairs
    rows = np.ones((24, 4))
    inspect(*set_of(ordinary), activations=rows)
    assert seen[0] is rows


def test_portrait_among_landscape_is_not_odd_and_mixed_sizes_are_not_either(ordinary):
    turned = [picture.rotate(90, expand=True) for picture in ordinary[:3]]
    assert inspect(*set_of([*ordinary[3:], *turned])).empty
    mixed = [picture if place % 2 else tiny(picture) for place, picture in enumerate(ordinary)]
    assert "odd_size" not in set(inspect(*set_of(mixed, ["a"] * 24))["check"])


@pytest.mark.parametrize(("measure", "change", "trait"), [
    ("brightness", lambda picture: lit(picture, 1.5), "brighter"),
    ("colourfulness", lambda picture: picture.convert("L").convert("RGB"), "greyer"),
    ("sharpness", lambda picture: out_of_focus(picture, 0.8), "more blurred"),
    ("size", lambda picture: picture.resize((220, 165)), "larger"),
    ("warmth", lambda picture: Image.blend(picture, Image.new("RGB", SIZE, "red"), 0.2), "redder"),
    ("shape", lambda picture: picture.resize((200, 144)), "wider"),
])  # fmt: skip
def test_a_class_that_one_plain_measure_gives_away_is_told(measure, change, trait):
    pictures = [scene(seed, SIZE) for seed in range(30)]
    pictures[:10] = [change(picture) for picture in pictures[:10]]
    items, looks = set_of(pictures, ["mug"] * 10 + ["cup"] * 10 + ["jug"] * 10)
    issues = inspect(items, looks)
    rows = issues[issues["check"] == "shortcut"]
    assert set(rows["group"]) == {"mug"} and set(rows["item"]) == {""}
    assert any(f"'mug' are {trait} than" in words for words in rows["words"])
    assert counts(issues)["shortcut"] == len(rows) and measure in TRAITS


def test_shortcuts_need_enough_pictures_and_are_told_once_for_two_classes():
    def table(n: int, m: int) -> pd.DataFrame:
        rng = np.random.default_rng(0)
        made = pd.DataFrame(rng.normal(size=(n + m, len(TRAITS))), columns=list(TRAITS))
        made["brightness"] = [1.0] * n + [0.0] * m
        return made.assign(label=["b"] * n + ["a"] * m)

    assert shortcuts(table(7, 40)) == []
    [one] = shortcuts(table(20, 40))
    assert (one.label, one.measure, one.share) == ("a", "brightness", 1.0) and "'a' are darker" in one.words


def test_the_share_told_apart_is_the_area_under_the_roc_curve():
    values = np.array([3.0, 1, 2, 2, *range(10, 16)])
    inside = np.array([True] * 4 + [False] * 6)
    assert told_apart(values, inside) == (0.5, 0.0)
    values, inside = np.arange(20.0), np.arange(20) % 2 == 0
    share, error = told_apart(values, inside)
    assert share == pytest.approx(np.mean([[(a > b) for b in values[~inside]] for a in values[inside]]))
    assert 0.05 < error < 0.2
    assert told_apart(np.ones(20), inside)[0] == 0.5


def test_hardly_any_pictures_are_no_problem(ordinary):
    items, looks = set_of(ordinary[:1])
    assert inspect(items, looks).empty
    none = inspect(items.iloc[:0], looks)
    assert none.empty and tuple(none.columns) == COLUMNS
    assert set(inspect(*set_of([ordinary[0], dim(ordinary[1])]))["check"]) == {"dark"}


def test_every_check_has_a_title_and_one_sentence():
    for name, check in CHECKS.items():
        assert name == check.name and check.title and check.explanation.endswith(".")
        assert check.explanation.count(". ") == 0 and len(check.explanation) < 130
