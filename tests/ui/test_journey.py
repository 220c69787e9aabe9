"""The way through the lessons: every page is a step or named as none, and a step is done by what lies on disk."""

import pytest

from core.data.edits import relabel
from core.text import sections
from core.train import runs
from core.ui import journey, page, visits
from core.ui.journey import NO_STEPS, STEPS, Traces, done_steps
from core.workspace import write_json
from tests.conftest import make_toy
from tests.ui.support import open_page, training_run, words

NOTHING = Traces(0, {}, frozenset())
ALL = Traces(1, {"train": 2, "lr_find": 1, "read": 1, "suspects": 1}, frozenset(STEPS))


def test_every_page_is_a_step_or_named_as_none():
    assert page.PAGES.keys() == STEPS.keys() | set(NO_STEPS)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_has_its_words(step):
    assert f"next_{step}" in sections("home")


def test_nothing_done_and_everything_done():
    assert not any(done_steps(NOTHING).values())
    assert all(done_steps(ALL).values()) and list(done_steps(ALL)) == list(STEPS)


def test_one_training_is_not_a_comparison():
    assert not done_steps(Traces(1, {"train": 1}, frozenset({"runs"})))["runs"]


def test_home_shows_the_first_step_that_is_not_done(lab):
    assert "0 of" in words(open_page("home")) and "Draw the bears, or bring your own." in words(open_page("home"))
    training_run(make_toy(lab.home))
    said = words(open_page("home"))
    assert "2 of" in said and "You have 1 data set." in said
    open_page("explore")
    assert "how large a step" in words(open_page("home"))


def test_a_page_is_noted_once(lab):
    open_page("train")
    first = dict(visits.opened(lab.workspace))
    open_page("train")
    assert first.keys() == {"train"} and visits.opened(lab.workspace) == first


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"schema": 1}', b'{"schema": 1, "pages": [1]}', b"\xff\xfe", b'{"schema": 99}']
)
def test_a_damaged_file_of_marks_costs_the_marks_and_no_page(lab, data):
    lab.workspace.root.mkdir(parents=True, exist_ok=True)
    (lab.workspace.root / visits.FILE).write_bytes(data)
    app = open_page("home")
    assert not app.exception and not app.error and "0 of" in words(app)
    open_page("explore")
    assert "explore" in visits.opened(lab.workspace)


def test_every_step_is_reached_from_what_lies_on_disk(lab):
    dataset = make_toy(lab.home)
    assert [name for name, done in done_steps(journey.traces()).items() if done] == ["build"]
    for kind in ("lr_find", "train", "train", "read", "suspects"):
        run = runs.create_run(dataset.workspace, kind, {"dataset": dataset.id, "settings": {}})
        for reached in ("starting", "running", "done"):
            run = runs.set_state(run, reached)
    found = journey.traces()
    assert found.runs == {"lr_find": 1, "train": 2, "read": 1, "suspects": 1}
    write_json(lab.workspace.root / visits.FILE, {"pages": dict.fromkeys(STEPS, 1.0)})
    assert all(done_steps(journey.traces()).values())
    assert "You have been everywhere" in words(open_page("home"))


def test_a_relabelled_picture_counts_as_cleaning(lab):
    dataset = make_toy(lab.home)
    assert not done_steps(journey.traces())["clean"]
    relabel(dataset, {"0": "g"})
    assert done_steps(journey.traces())["clean"]


def test_a_run_that_has_just_ended_counts_at_once_and_others_are_not_read_again(lab, monkeypatch):
    run = training_run(make_toy(lab.home))
    assert journey.traces().runs == {"train": 1}
    monkeypatch.setattr(journey, "list_runs", lambda workspace: pytest.fail("read again"))
    assert journey.traces().runs == {"train": 1}
    monkeypatch.undo()
    runs.create_run(run.workspace, "lr_find", {"dataset": run.request["dataset"]})
    assert journey.traces().runs == {"train": 1}


def test_a_run_that_failed_is_no_step(lab):
    dataset = make_toy(lab.home)
    run = runs.create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": {}})
    for state in ("starting", "failed"):
        run = runs.set_state(run, state)
    assert "1 of" in words(open_page("home"))
