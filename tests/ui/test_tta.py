"""Five looks, as a part of a page: asked once, told with what luck would do, and shown picture by picture."""

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.interpret.tta import FILE, to_csv
from core.train import runs
from tests.conftest import make_toy
from tests.ui.answers import read
from tests.ui.support import labels, markup, words


def part(run_id):
    from core.interpret.reading import load_answers
    from core.train.runs import list_runs
    from core.ui import models, page, state, tta
    from core.ui.readings import Reading

    model = models.find_model(state.workspace(), run_id)
    answers = list_runs(state.workspace(), "read")[0]
    tta.show(Reading(model, models.dataset_of(model.run), answers, load_answers(answers)))
    page.challenge("tta")
    page.explain("tta", source=tta.SOURCE)


def opened(run):
    return AppTest.from_function(part, args=(run.id,), default_timeout=30).run()


@pytest.fixture
def model(lab):
    return read(make_toy(lab.home))[0]


def looked(lab, app, turns):
    """Press the button and do what it asked for. `turns`: for each picture, whether it is right before and after."""
    app.button(key="tta.start").click().run()
    run = runs.list_runs(lab.workspace, "tta")[0]
    items = make_rows(lab, run, turns)
    (run.path / FILE).write_text(to_csv(items), encoding="utf-8")
    for state in ("starting", "running", "done"):
        run = runs.set_state(run, state)
    return run


def make_rows(lab, run, turns):
    from core.data.table import load_dataset

    kept = load_dataset(lab.workspace, run.request["dataset"]).kept()
    other = {"r": "g", "g": "b", "b": "r"}
    rows = []
    for row, (before, after) in zip(kept.itertuples(), turns, strict=False):
        said = [row.label if right else other[row.label] for right in (before, after)]
        p = [0.9 if right else 0.05 for right in (before, after)]
        rows.append((row.item, row.file, row.label, True, said[0], 0.9, p[0], said[1], 0.9, p[1]))
    names = ["item", "file", "label", "known", "predicted", "p_predicted", "p_label", "predicted_after",
             "p_predicted_after", "p_label_after"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def test_the_button_asks_for_what_the_model_and_the_data_are_now(lab, model):
    app = opened(model)
    assert not app.exception and "Five looks at each of 9 pictures" in words(app)
    app.button(key="tta.start").click().run()
    asked = runs.list_runs(lab.workspace, "tta")[0].request
    assert (asked["run"], asked["augment"]) == (model.id, "photos") and "Look five times" not in labels(app)
    (model.path / "last.safetensors").write_bytes(b"other weights")
    import os

    os.utime(model.path / "last.safetensors", (1, 1))
    assert "Look five times" in labels(opened(model))


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([(False, True)] * 3 + [(True, True)] * 6, "in 25 % of all tries, so it may be luck"),
        ([(False, True)] * 8 + [(True, True)], "in only 0.8 % of all tries: this is more than luck"),
        ([(True, False)] * 2 + [(True, True)] * 7, "0 mended, 2 spoiled"),
        ([(True, False), (False, True)] + [(True, True)] * 7, "as many are wrong as before"),
        ([(True, True)] * 8 + [(False, False)], "Not one answer turned"),
    ],
)
def test_counts_are_told_with_what_luck_would_do(lab, model, turns, expected):
    looked(lab, opened(model), turns)
    app = opened(model)
    assert not app.exception and expected in words(app)
    wrong = sum(not after for _, after in turns)
    assert app.metric[0].value == f"{wrong} of 9"


def test_the_pictures_that_turned_are_shown_and_no_others(lab, model):
    looked(lab, opened(model), [(True, False), (False, True), (False, True)] + [(True, True)] * 6)
    app = opened(model)
    body = markup(app)
    assert body.count('<figure class="right">') == 2 and body.count('<figure class="wrong">') == 1


def test_looks_that_were_stopped_can_be_taken_again(lab, model):
    app = opened(model)
    app.button(key="tta.start").click().run()
    run = runs.list_runs(lab.workspace, "tta")[0]
    runs.set_state(run, "stopped")
    app = opened(model)
    assert "before every picture was looked at" in words(app) and "Look five times" in labels(app)
