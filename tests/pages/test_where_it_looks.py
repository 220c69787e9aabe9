"""The page about where a model looks: each part by its address, what somebody clicks, and addresses that are wrong."""

import os
import re

import numpy as np
import pytest

from core.data.edits import relabel
from core.errors import LabError
from core.interpret.peaks import KIND
from core.interpret.reading import ACTIVATIONS, load_answers
from core.train import runs
from core.ui import evidence, look_map, looks
from tests.conftest import make_toy
from tests.hostile_names import HOSTILE_NAMES
from tests.ui.looks import inside_run, paint, read_with_groups
from tests.ui.support import labels, markup, open_page, words

NAME = "where_it_looks"


def healthy(app):
    return not app.exception and not app.error


def value(app, name):
    """A value of the page's address."""
    found = app.query_params.get(name)
    return found[0] if isinstance(found, list) else found


@pytest.fixture
def asked(lab, monkeypatch):
    evidence._warm.cache_clear()
    return paint(monkeypatch)


@pytest.fixture
def answered(lab, asked):
    """A data set, a model that has answered about it, and the table of its answers."""
    dataset = make_toy(lab.home)
    model, run = read_with_groups(dataset)
    return dataset, model, load_answers(run)


def worst(table):
    return table[table["split"] == "valid"].sort_values("loss", ascending=False, kind="stable").reset_index(drop=True)


def test_without_a_model_every_part_leads_to_training(lab):
    for part in looks.PARTS:
        app = open_page(NAME, show=part)
        assert healthy(app) and "No model to read yet" in words(app)
    app.button(key=f"{NAME}.gate").click().run()
    assert app.title[0].value == "Train a model"


@pytest.mark.parametrize("part", looks.PARTS)
def test_every_part_opens_cold_by_its_address(lab, answered, part):
    dataset, model, _ = answered
    inside_run(model, dataset)
    app = open_page(NAME, show=part, model=model.id)
    assert healthy(app), words(app)
    assert app.segmented_control(key="looks.show").value == part
    assert "Try this" in words(app)
    assert re.search('class="see', markup(app)) or part == "valley", "what there is to see, in this model's numbers"


@pytest.mark.parametrize(
    "address",
    [
        {"show": "../etc"},
        {"item": "<b>nobody</b>"},
        {"for": "=no such class"},
        {"from": "-7"},
        {"from": "99999999999"},
        {"from": "1e3"},
        {"view": "x", "show": "map"},
        {"colour": "x", "show": "map"},
        {"block": "x", "show": "inside"},
        {"cover": "maybe"},
    ],
    ids=str,
)
def test_a_bad_address_gives_a_sentence_at_most_and_the_page(lab, answered, address):
    dataset, model, _ = answered
    inside_run(model, dataset)
    app = open_page(NAME, **address)
    assert not app.exception and len(app.error) == ("item" in address)
    assert "<b>nobody" not in markup(app)
    assert re.search('class="see', markup(app))


# --- one picture


def test_the_worst_answer_of_the_exam_comes_first_with_its_map(lab, answered, asked):
    dataset, model, table = answered
    app, first = open_page(NAME), worst(table).iloc[0]
    assert f"/heat/{model.id}/{first['file']}.jpg?dataset={dataset.id}&label={first['predicted']}" in markup(app)
    assert f"labelled **{first['label']}**" not in markup(app) and f"<em>{first['label']}</em>" in markup(app)
    assert asked == [f"heat {first['predicted']}"], "covering is done on request alone"
    assert re.search(
        "Half of all that speaks for . lies on [3-9] % of the picture.*strongest at the top left", words(app)
    )


def test_another_picture_is_chosen_from_the_strip_and_stands_in_the_address(lab, answered):
    app, rows = open_page(NAME), worst(answered[2])
    app.button(key="pick-looks-3").click().run()
    assert value(app, "item") == rows.iloc[3]["item"]
    again = open_page(NAME, item=rows.iloc[3]["item"])
    assert f"/{rows.iloc[3]['file']}.jpg?dataset" in markup(again) and healthy(again)


def test_any_class_can_be_asked_for_and_the_others_stay_on_offer(lab, answered, asked):
    app, first = open_page(NAME), worst(answered[2]).iloc[0]
    app.pills(key="looks.for").set_value(f"={first['label']}").run()
    assert f"label={first['label']}" in markup(app) and value(app, "for") == f"={first['label']}"
    assert asked[-1] == f"heat {first['label']}"


def test_covering_is_asked_for_once_and_says_what_it_costs_and_whether_the_maps_agree(lab, answered, asked):
    app = open_page(NAME)
    app.toggle(key="looks.cover").set_value(True).run()
    app.run()
    assert len([what for what in asked if what.startswith("cover")]) == 1
    assert value(app, "cover") == "1"
    assert "Covering it at the top left costs most" in words(app) and "The two maps agree" in words(app)
    app.toggle(key="looks.cover").set_value(False).run()
    assert value(app, "cover") is None and "Covering it" not in words(app)


def test_the_nearest_are_learned_ones_of_the_same_group_and_never_the_picture_itself(lab, answered):
    _, _, table = answered
    row = worst(table).iloc[0]
    near = re.search('<div class="near".*?</div>', markup(open_page(NAME)), re.DOTALL)[0]
    files = re.findall(r"/thumb/([0-9a-f]{64})", near)
    found = table.set_index("file").loc[files]
    assert len(files) == 5 and (found["split"] == "train").all() and row["file"] not in files
    assert (found["label"] == row["label"]).all()


def test_a_learned_picture_is_not_its_own_neighbour(lab, answered):
    row = answered[2][answered[2]["split"] == "train"].iloc[0]
    near = re.search('<div class="near".*?</div>', markup(open_page(NAME, item=row["item"])), re.DOTALL)[0]
    assert row["file"] not in near and near.count("<figure") == 5


def test_a_wrong_label_shows_in_its_company(lab, asked):
    dataset = make_toy(lab.home)
    item, own = dataset.kept()["item"].iloc[3], dataset.kept()["label"].iloc[3]
    other = next(label for label in dataset.classes if label != own)
    _, run = read_with_groups(dataset)
    relabelled = read_with_groups(relabel(dataset, {item: other}).dataset)
    directions = np.load(run.path / ACTIVATIONS)
    np.save(relabelled[1].path / ACTIVATIONS, directions)  # the picture itself is as it was
    said = words(open_page(NAME, item=item, model=relabelled[0].id))
    assert re.search(rf"(5|4) of the 5 most like it are labelled {own}", said) and other in said


# --- the map


def figures(app):
    return app.get("plotly_chart")


def test_the_map_has_a_point_for_every_picture_and_says_what_lies_among_others(lab, answered):
    app = open_page(NAME, show="map")
    spec = figures(app)[0].proto.spec if hasattr(figures(app)[0].proto, "spec") else str(figures(app)[0].proto)
    assert all(f'"{item}"' in spec for item in answered[2]["item"])
    assert "of 9 pictures of the exam lie among another class" in words(app)
    assert "Click on one to see it" in words(app)


def test_the_chosen_point_shows_its_picture_and_the_ways_on(lab, answered):
    dataset, model, table = answered
    row = worst(table).iloc[2]
    look = open_page(NAME, show="map", item=row["item"])
    assert f"/thumb/{row['file']}.jpg?dataset={dataset.id}&large=1" in markup(look)
    assert {"Look closer", "Clean"} <= set(labels(look)) and markup(look).count('class="near"') == 1
    look.button(key="looks.closer").click().run()
    assert look.segmented_control(key="looks.show").value == "picture" and value(look, "item") == row["item"]


@pytest.mark.parametrize("customdata", ["i7", ["i7"]])
def test_what_was_clicked_is_read_however_plotly_writes_it(monkeypatch, customdata):
    monkeypatch.setattr(
        look_map.st, "session_state", {look_map.CHART: {"selection": {"points": [{"customdata": customdata}]}}}
    )
    assert look_map._clicked() == "i7"
    look_map.st.session_state[look_map.CHART] = {"selection": {"points": []}}
    assert look_map._clicked() is None


def test_both_views_and_both_colourings_stand_in_the_address(lab, answered):
    app = open_page(NAME, show="map")
    app.pills(key="looks.view").set_value("head").run()
    app.pills(key="looks.colour").set_value("wrong").run()
    assert healthy(app) and (value(app, "view"), value(app, "colour")) == ("head", "wrong")
    assert "as the body sees it" in words(app)


def test_clean_opens_the_cleaner_with_that_picture(lab, answered):
    dataset, model, table = answered
    app = open_page(NAME, show="map", item=worst(table).iloc[0]["item"])
    app.button(key="looks.clean").click().run()
    assert app.title[0].value == "Clean your data"


# --- inside


def test_a_look_inside_begins_by_itself_once_and_says_how_far_it_is(lab, answered):
    dataset, model, _ = answered
    for _ in range(2):
        app = open_page(NAME, show="inside")
    [run] = runs.list_runs(lab.workspace, KIND)
    assert run.request["run"] == model.id and run.request["version"] == dataset.version
    assert healthy(app) and "up to 200 of your pictures" in words(app) and "Stop" in labels(app)


def test_three_depths_show_three_channels_each_with_a_map_and_cuts(lab, answered):
    inside_run(answered[1], answered[0])
    shown = markup(open_page(NAME, show="inside"))
    assert [shown.count(f"<b>{depth}</b>") for depth in ("Early", "Middle", "Late")] == [1, 1, 1]
    assert shown.count('class="drawn"') == shown.count('class="cuts"') == 9


def test_one_block_shows_more_of_its_channels_and_stands_in_the_address(lab, answered):
    inside_run(answered[1], answered[0])
    app = open_page(NAME, show="inside")
    app.selectbox(key="looks.block").set_value("blocks.3").run()
    assert markup(app).count('class="drawn"') == 6 and value(app, "block") == "blocks.3"
    assert "80 channels" in words(app)


def test_a_look_that_failed_says_why_and_can_be_tried_again(lab, answered):
    run = inside_run(answered[1], answered[0], state="failed")
    app = open_page(NAME, show="inside")
    assert "ran out of memory" in app.error[0].value
    app.button(key="looks.again").click().run()
    assert runs.load_run(lab.workspace, run.id).state == "queued"


def test_what_was_seen_of_weights_that_have_changed_is_not_shown(lab, answered):
    inside_run(answered[1], answered[0])
    runs_before = len(runs.list_runs(lab.workspace, KIND))
    weights = answered[1].path / "last.safetensors"
    weights.write_bytes(b"others")
    os.utime(weights, (1, 1))
    open_page(NAME, show="inside")  # the answers are asked for anew as well: the page waits for these first
    assert len(runs.list_runs(lab.workspace, KIND)) == runs_before


# --- names


@pytest.mark.parametrize("name", HOSTILE_NAMES[:12])
def test_a_hostile_label_is_only_text(lab, asked, name):
    toy = make_toy(lab.home)
    item = toy.kept()["item"].iloc[3]
    try:
        dataset = relabel(toy, {item: name}).dataset
    except LabError:
        pytest.skip("no label can be called that")
    model, _ = read_with_groups(dataset)
    inside_run(model, dataset)
    for part in looks.PARTS:
        app = open_page(NAME, show=part, item=item)
        assert healthy(app), words(app)
        assert not set("<[*`$") & set(name) or name not in markup(app)
