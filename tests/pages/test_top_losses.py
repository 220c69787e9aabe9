"""The page of the worst answers: which nine, in which order, with which numbers, and where its links lead."""

import re

import numpy as np
import pytest

from core.interpret.metrics import ORDERS
from core.interpret.reading import load_answers
from core.train import runs
from core.ui import top_losses as view
from tests.conftest import make_toy
from tests.hostile_names import HOSTILE_NAMES
from tests.ui.answers import read
from tests.ui.support import labels, markup, open_page, words


def shown(app):
    """The hashes of the pictures that are shown, in order."""
    return re.findall(r'<img src="/(?:thumb|heat/[^/]+)/([0-9a-f]{64})\.jpg', markup(app))


def files(table, count=9):
    return list(table["file"].head(count))


@pytest.fixture
def answered(lab):
    model, run = read(make_toy(lab.home))
    return model, load_answers(run)


def side(table, name="valid"):
    return table[table["split"] == name]


@pytest.mark.parametrize("order", ORDERS)
def test_the_first_nine_of_each_order_are_shown(lab, answered, order):
    app = open_page("top_losses", sort=order)
    assert shown(app) == files(ORDERS[order](side(answered[1])))
    assert not app.exception and not app.error


def test_every_picture_says_both_probabilities_and_the_loss(lab, answered):
    worst = ORDERS["loss"](side(answered[1])).iloc[0]
    card = re.search(r"<figure.*?</figure>", words(open_page("top_losses")), re.DOTALL)[0]
    for fact in (worst["predicted"], worst["label"], f"{100 * worst['p_predicted']:.0f} %", f"{worst['loss']:.2f}"):
        assert fact in card
    assert re.findall(r"<dt>(\w+)</dt>", card) == ["says", "is", "loss"]


def test_the_other_side_is_shown_and_the_address_keeps_it(lab, answered):
    app = open_page("top_losses")
    app.selectbox(key="top_losses.side").set_value("train").run()
    assert shown(app) == files(ORDERS["loss"](side(answered[1], "train")))
    assert app.query_params["side"] in ("train", ["train"])


def test_one_class_is_shown_in_the_chosen_order(lab, answered):
    table = side(answered[1])
    app = open_page("top_losses", **{"class": "=g", "sort": "unsure"})
    assert shown(app) == files(ORDERS["unsure"](table[table["label"] == "g"]))


def test_three_of_each_class_are_shown_class_by_class(lab, answered):
    app = open_page("top_losses", **{"class": "each", "side": "train"})
    by_file = answered[1].set_index("file")["label"]
    assert [by_file[file] for file in shown(app)] == ["b"] * 3 + ["g"] * 3 + ["r"] * 3


def test_more_than_nine_have_pages_and_another_choice_begins_at_the_first(lab, answered):
    table = ORDERS["loss"](side(answered[1], "train"))
    app = open_page("top_losses", side="train", at="2")
    assert shown(app) == list(table["file"].iloc[9:18])
    app.segmented_control(key="top_losses.sort").set_value("unsure").run()
    assert shown(app) == files(ORDERS["unsure"](side(answered[1], "train"))) and "at" not in app.query_params


@pytest.mark.parametrize("at", ["0", "99", "-1", "x", "²", "1" * 400, "<b>"])
def test_a_page_that_there_is_not_shows_one_that_there_is(lab, answered, at):
    app = open_page("top_losses", side="train", at=at)
    assert len(shown(app)) == 9 and not app.exception and not app.error


@pytest.mark.parametrize("slot", ["sort", "class", "side", "map"])
def test_an_address_with_nonsense_shows_the_usual(lab, answered, slot):
    app = open_page("top_losses", **{slot: "<script>"})
    assert len(shown(app)) == 9 and not app.exception and not app.error


@pytest.mark.parametrize(("chosen", "column"), [("said", "predicted"), ("label", "label")])
def test_the_map_is_for_the_class_it_said_or_for_the_one_it_is(lab, answered, chosen, column):
    model, table = answered
    worst = ORDERS["loss"](side(table)).iloc[0]
    first = re.search(r'<img src="([^"]+)"', markup(open_page("top_losses", map=chosen)))[1]
    assert first.startswith(f"/heat/{model.id}/{worst['file']}.jpg?dataset=") and first.endswith(
        f"&label={worst[column]}"
    )


def test_what_there_is_to_see_counts_the_sure_mistakes_and_the_pair_they_share(lab):
    dataset = make_toy(lab.home)
    scores = np.full((36, 3), -10.0)
    classes = ("b", "g", "r")
    for row, label in enumerate(dataset.kept()["label"]):
        scores[row, classes.index("g" if label == "r" else label)] = 10.0
    read(dataset, scores=scores, classes=classes)
    said = words(open_page("top_losses"))
    assert (
        "Wrong and at least 90 % sure: 3 of 9 pictures" in said and "The same mistake 3 times: r, taken for g" in said
    )
    assert "Nothing is wrong here" in words(open_page("top_losses", **{"class": "=b", "sort": "wrong"}))
    assert "Nothing is right here" in words(open_page("top_losses", **{"class": "=r", "sort": "right"}))
    assert "Right about all of them" in words(open_page("top_losses", **{"class": "=b"}))


def test_clean_these_brings_class_and_side_along(lab, answered):
    app = open_page("top_losses", **{"class": "=g", "side": "train"})
    app.button(key="top_losses.clean").click().run()
    assert app.title[0].value == "Clean your data" and app.query_params["order"] in ("loss", ["loss"])
    assert app.session_state["slot.clean.label"] == "g" and app.session_state["slot.clean.side"] == "train"
    assert [run.request["run"] for run in runs.list_runs(lab.workspace, "suspects")] == [answered[0].id]


def test_the_steps_lead_on(lab, answered):
    app = open_page("top_losses")
    assert f"/answers/{runs.list_runs(lab.workspace, 'read')[0].id}.csv" in markup(app)
    app.button(key="top_losses.next").click().run()
    assert app.title[0].value == "Who is taken for whom?" and "Try it on a picture" in labels(app)


def test_a_finished_run_leads_here(lab, answered):
    app = open_page("train", run=answered[0].id)
    app.button(key="train.read").click().run()
    assert app.title[0].value == "Where was it furthest off?"


def test_hostile_names_stay_text(lab):
    dataset = make_toy(lab.home, classes=2)
    names = HOSTILE_NAMES[:8]
    items = dataset.items()
    items["label"] = [names[row % 8] for row in range(len(items))]
    items["original_name"] = [HOSTILE_NAMES[row % len(HOSTILE_NAMES)] for row in range(len(items))]
    from core.data.table import items_to_csv, load_dataset, version_of
    from core.workspace import read_json, write_json

    (dataset.path / "items.csv").write_text(items_to_csv(items), encoding="utf-8")
    record = read_json(dataset.path / "dataset.json")
    write_json(dataset.path / "dataset.json", {**record, "version": version_of(items), "classes": sorted(set(names))})
    read(load_dataset(lab.workspace, dataset.id))
    for page, address in (("top_losses", {"map": "said"}), ("confusion", {}), ("confusion", {"part": "classes"}),
                          ("confusion", {"part": "numbers"})):  # fmt: skip
        said = markup(open_page(page, **address))
        assert "<script>" not in said and "<img src=x" not in said and "<svg" not in said and "<iframe" not in said


def test_the_choice_of_a_page_is_pure():
    choice = view.Choice("valid", "loss", None, False, "off")
    assert hash(choice) == hash(view.Choice("valid", "loss", None, False, "off"))
