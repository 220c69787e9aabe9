"""The guards on the Train page: a set with faults, a good one, hostile names, and ways to where a fault is mended."""

import hashlib

import pandas as pd
import pytest

from core.data.copies import Copies
from core.data.table import COLUMNS, create_dataset
from core.diagnose.data_checks import DATA_CHECKS
from core.ui.data_guards import LINES, WAYS
from core.workspace import Workspace
from tests.hostile_names import HOSTILE_NAMES
from tests.ui.support import labels, markup, open_page, words


def made(home, *rows):
    """A data set of rows (label, side, count) without pictures: nothing before a training opens one."""
    workspace = Workspace(home)
    name, path = workspace.create("datasets")
    (path / "images").mkdir()
    sides = [(label, side) for label, side, count in rows for _ in range(count)]
    items = [
        (str(number), hashlib.sha256(str(number).encode()).hexdigest(), label, side, 64, 64, "test", f"{number}.jpg",
         "kept", "")
        for number, (label, side) in enumerate(sides)
    ]  # fmt: skip
    table = pd.DataFrame(items, columns=COLUMNS)
    return create_dataset(workspace, name, table, name="set", seed=0, valid_share=0.2, source="test")


def loud_lines(app):
    """How many warnings stand on the page without unfolding anything."""
    return sum(markup(app).count(f'class="see {kind}"') for kind in ("attention", "high"))


def test_two_classes_one_with_three_pictures_are_warned_about_before_training(lab):
    dataset = made(lab.home, ("cat", "train", 40), ("dog", "train", 3), ("cat", "valid", 10), ("dog", "valid", 1))
    app = open_page("train", dataset=dataset.id)
    said = words(app)
    assert not app.exception and "dog has 3 training pictures" in said and loud_lines(app) == 1
    parts = markup(app)
    assert parts.index("dog has 3 training") < parts.index("weights learn") < parts.index('class="finding')
    [fold] = [fold for fold in app.expander if "remarks about your pictures" in fold.label]
    assert fold.label.startswith("3 ") and not fold.proto.expanded
    assert "With 11 validation pictures one mistake is 9.1 %" in said and "13 times as many" in said
    assert app.get("echarts_chart") and not app.button(key="train.start").disabled
    app.button(key="guards.bring").click().run()
    assert app.title[0].value == "Build a data set"
    assert (app.query_params["dataset"], app.query_params["part"]) == (dataset.id, "bring")


def test_nothing_is_said_about_a_good_set(lab):
    rows = [(label, side, count) for label in ("cat", "dog") for side, count in (("train", 60), ("valid", 110))]
    app = open_page("train", dataset=made(lab.home, *rows).id)
    assert not app.exception and not loud_lines(app)
    assert not [fold for fold in app.expander if "about your pictures" in fold.label]


def test_near_copies_are_told_once_somebody_has_looked_for_them_and_lead_to_the_groups(lab):
    dataset = made(lab.home, *((label, side, 12) for label in ("cat", "dog") for side in ("train", "valid")))
    groups = (0, *[None] * 11, 0, *[None] * 35)  # a picture to learn from and one of the exam
    assert "nearly the same" not in words(open_page("train", dataset=dataset.id))
    app = open_page("train", state={"slot.copies": (dataset.version, Copies(groups))}, dataset=dataset.id)
    assert not app.exception and "1 validation picture is nearly the same as a training picture" in words(app)
    app.button(key="guards.look").click().run()
    assert app.query_params["look"] == "quality" and "Look for problems" in labels(app)


def test_near_copies_of_another_version_of_the_table_are_not_told(lab):
    dataset = made(lab.home, ("cat", "train", 12), ("dog", "train", 12), ("cat", "valid", 12), ("dog", "valid", 12))
    app = open_page("train", state={"slot.copies": ("before", Copies((0,) * 48))}, dataset=dataset.id)
    assert not app.exception and "nearly the same" not in words(app)


def test_many_faults_take_few_lines(lab):
    rows = [("a", "train", 100), ("b", "train", 2), ("a", "valid", 4), ("b", "valid", 1), ("c", "train", 1)]
    app = open_page("train", dataset=made(lab.home, *rows).id)
    assert not app.exception and loud_lines(app) == LINES and "4 remarks" in " ".join(f.label for f in app.expander)


@pytest.mark.parametrize("name", HOSTILE_NAMES[:6])
def test_class_names_are_only_text(lab, name):
    app = open_page("train", dataset=made(lab.home, (name, "train", 3), ("b", "train", 30), ("b", "valid", 9)).id)
    assert not app.exception and "3 training pictures" in words(app)
    assert "<img" not in markup(app) and "<script" not in markup(app)


def test_every_check_of_data_says_where_to_go():
    assert set(WAYS) == set(DATA_CHECKS)
