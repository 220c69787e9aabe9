"""The page of who is taken for whom: each cell has exactly its pictures, and each number is that of the table."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from core.interpret.metrics import confusion
from core.interpret.reading import load_answers
from core.ui import confusion as view
from tests.conftest import make_toy
from tests.ui.answers import read
from tests.ui.support import labels, markup, open_page, words

CLASSES = ("b", "g", "r")


@pytest.fixture
def answered(lab):
    model, run = read(make_toy(lab.home))
    table = load_answers(run)
    return model, table[table["split"] == "valid"]


def cell_files(app):
    grid = re.search(r'<div class="read-cell".*?</div></div>', markup(app), re.DOTALL)
    return re.findall(r"<img src=\"/thumb/([0-9a-f]{64})", grid[0]) if grid else []


@pytest.mark.parametrize("part", view.PARTS)
def test_every_part_opens_by_its_address(lab, answered, part):
    app = open_page("confusion", part=part)
    assert not app.exception and not app.error
    assert view.PARTS[part].title and "nan" not in words(app).lower().replace("banana", "")


def test_each_cell_of_the_matrix_has_exactly_its_pictures(lab, answered):
    _, exam = answered
    counts = confusion(exam["label"], exam["predicted"], CLASSES)
    assert (counts - np.diag(np.diag(counts))).sum() > 0
    for row, actual in enumerate(CLASSES):
        for column, said in enumerate(CLASSES):
            app = open_page("confusion", actual=actual, said=said)
            wanted = exam[(exam["label"] == actual) & (exam["predicted"] == said)]["file"]
            assert cell_files(app) == list(wanted) and len(wanted) == counts[row, column]


def figure_of(app):
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def test_the_figure_is_the_matrix_and_marks_the_chosen_cell(lab, answered):
    _, exam = answered
    light, dark, marks = figure_of(open_page("confusion", actual="g", said="r"))["data"]
    texts = [[a or b for a, b in zip(*row, strict=True)] for row in zip(light["text"], dark["text"], strict=True)]
    assert [[int(text) for text in row] for row in texts] == confusion(
        exam["label"], exam["predicted"], CLASSES
    ).tolist()
    assert marks["selectedpoints"] == [5]


def test_a_click_shows_its_cell_and_does_not_draw_the_figure_anew(lab, answered):
    app = open_page("confusion", actual="b", said="b")
    before = figure_of(app)
    app.session_state["slot.confusion.clicked"] = ("g", "g")
    app.session_state["slot.actual"] = app.session_state["slot.said"] = "g"
    app.query_params["actual"] = app.query_params["said"] = "g"
    app.run()
    assert figure_of(app) == before
    exam = answered[1]
    assert cell_files(app) == list(exam[(exam["label"] == "g") & (exam["predicted"] == "g")]["file"])
    app.selectbox(key="confusion.actual").set_value("r").run()
    assert figure_of(app)["data"][2]["selectedpoints"] == [7]


def test_one_half_of_a_cell_may_be_chosen_alone(lab, answered):
    _, exam = answered
    app = open_page("confusion")
    said = app.selectbox(key="confusion.said").value
    app.selectbox(key="confusion.actual").set_value("r").run()
    assert app.selectbox(key="confusion.said").value == said and "of 3" in words(app)
    assert cell_files(app) == list(exam[(exam["label"] == "r") & (exam["predicted"] == said)]["file"])


def test_shares_are_shown_instead_of_counts(lab, answered):
    app = open_page("confusion")
    app.pills(key="confusion.in").set_value("shares").run()
    texts = [text for trace in figure_of(app)["data"][:2] for row in trace["text"] for text in row if text]
    assert any(text.endswith(" %") for text in texts)


def test_the_pairs_are_buttons_and_obey_the_least_count(lab):
    dataset = make_toy(lab.home)
    scores = np.full((36, 3), -5.0)
    for row, item in enumerate(dataset.kept().itertuples()):
        said = "g" if item.label == "r" else "r" if item.label == "b" and row % 8 == 3 else item.label
        scores[row, CLASSES.index(said)] = 5.0
    read(dataset, scores=scores, classes=CLASSES)
    app = open_page("confusion")
    pairs = [label for label in labels(app) if "→" in label]
    assert pairs[0] == "r → g: 3" and len(pairs) == 2
    next(box for box in app.number_input if box.key.startswith("confusion.least")).set_value(3).run()
    assert [label for label in labels(app) if "→" in label] == ["r → g: 3"]
    app.button(key="confusion.pair.2.1").click().run()
    assert len(cell_files(app)) == 3 and "3 of 3" in words(app)


@pytest.mark.parametrize("address", [{"actual": "zzz", "said": "b"}, {"actual": "<b>"}, {"least": "x"}, {"least": "²"},
                                     {"part": "nothing"}, {"in": "%"}, {"more": "9"}])  # fmt: skip
def test_an_address_with_nonsense_shows_the_usual(lab, answered, address):
    app = open_page("confusion", **address)
    assert not app.exception and not app.error and cell_files(app)


def test_each_class_has_its_counts_and_a_class_without_pictures_says_so(lab):
    dataset = make_toy(lab.home)
    scores = np.full((36, 4), -5.0)
    for row, label in enumerate(dataset.kept()["label"]):
        scores[row, CLASSES.index("g" if label == "r" else label)] = 5.0
    read(dataset, scores=scores, classes=(*CLASSES, "never"))
    said = markup(open_page("confusion", part="classes"))
    rows = {re.search(r">([a-z]+)</a>", row)[1]: row for row in re.findall(r"<tr><th><a.*?</tr>", said)}
    assert "3 of 3" in rows["g"] and "3 of 6" in rows["g"] and "0.667" in rows["g"]
    assert "0 of 3" in rows["r"] and rows["r"].count("–") == 2
    assert "no picture in the exam" in rows["never"] and rows["never"].count("–") == 3
    assert "r is recognised least often: 0 of 3" in words(open_page("confusion", part="classes"))


def test_the_threshold_says_what_it_costs_and_is_carried_to_predict(lab, answered, monkeypatch):
    from core.ui.cache import Predictors

    monkeypatch.setattr(Predictors, "_of_run", lambda self, model: lab.oracle)
    _, exam = answered
    app = open_page("confusion", part="sure", threshold="0.80")
    assert app.slider(key="confusion.threshold").value == 0.8
    answers = exam[exam["p_predicted"] >= 0.8]
    wrong = int((answers["label"] != answers["predicted"]).sum())
    assert f"It answers {len(answers)} of {len(exam)}" in words(app) and f"and {wrong} of those are wrong" in words(app)
    app.slider(key="confusion.threshold").set_value(0.99).run()
    assert app.query_params["threshold"] in ("0.99", ["0.99"])
    app.button(key="confusion.carry").click().run()
    assert app.title[0].value == "Show it a picture" and app.slider(key="predict.threshold").value == 0.99


@pytest.mark.parametrize("typed", ["x", "-1", "2", "nan", "inf", ""])
def test_a_threshold_that_is_none_is_the_usual_one(lab, answered, typed):
    assert open_page("confusion", part="sure", threshold=typed).slider(key="confusion.threshold").value == 0.6


def test_one_picture_is_worked_through_with_its_own_numbers(lab, answered):
    _, exam = answered
    table = exam.sort_values("loss", ascending=False, kind="stable").reset_index(drop=True)
    app = open_page("confusion", part="numbers", row="2")
    row = table.iloc[1]
    said = words(app)
    for label in CLASSES:
        score = np.log(row[f"p:{label}"]) + row["log_sum"]
        assert f"<td>{score:.2f}</td>" in markup(app)
    assert f"the class with the most counts as the answer: {row['predicted']}" in said
    assert (f"Wrong: the label says {row['label']}" in said.replace("<em>", "").replace("</em>", "")) == (
        row["predicted"] != row["label"]
    )
    assert f"= {row['loss']:.2f}" in said
    next(box for box in app.number_input if box.key.startswith("confusion.row")).set_value(1).run()
    assert f"= {table.iloc[0]['loss']:.2f}" in words(app)


def test_the_same_answers_have_one_error_rate_and_three_log_losses(lab, answered):
    _, exam = answered
    logs = np.log(exam[[f"p:{label}" for label in CLASSES]].to_numpy())
    own = exam["label"].map(CLASSES.index).to_numpy()
    said = markup(open_page("confusion", part="numbers"))
    wrong = int((exam["label"] != exam["predicted"]).sum())
    losses = []
    for factor in (0.5, 1, 2):
        raised = np.exp(factor * logs)
        losses.append(float(-np.log(raised[np.arange(len(own)), own] / raised.sum(axis=1)).mean()))
    assert losses[1] == pytest.approx(exam["loss"].mean(), rel=1e-6)
    found = re.findall(rf"<td>{wrong} of {len(exam)}</td><td>([^<]+)</td>", said)
    assert [float(value) for value in found] == pytest.approx(losses, rel=0.01)
    assert "def accuracy" in "".join(block.value for block in open_page("confusion", part="numbers").code)


def test_luck_is_the_range_of_two_standard_errors(lab, answered):
    from core.diagnose.curves import noise_of
    from core.plots.style import share

    _, exam = answered
    error = float((exam["label"] != exam["predicted"]).mean())
    said = words(open_page("confusion", part="numbers"))
    low, high = max(0.0, error - noise_of(error, len(exam))), min(1.0, error + noise_of(error, len(exam)))
    assert share(low) in said and share(high) in said


def test_a_model_that_is_always_right_has_nothing_to_confuse(lab):
    dataset = make_toy(lab.home)
    scores = pd.get_dummies(dataset.kept()["label"])[list(CLASSES)].to_numpy(dtype=float) * 9
    read(dataset, scores=scores, classes=CLASSES)
    app = open_page("confusion")
    assert "All 9 pictures of the exam are right" in words(app) and not [label for label in labels(app) if "→" in label]
    assert "is recognised" in words(open_page("confusion", part="classes"))
    assert "all 9" in words(open_page("confusion", part="sure", threshold="0.10"))


def test_the_way_leads_on_only_to_pages_that_there_are(lab, answered):
    from core.ui.page import PAGES

    app = open_page("confusion")
    assert ("Where does it look?" in labels(app)) == ("where_it_looks" in PAGES)
    assert "Try it on a picture" in labels(app)
