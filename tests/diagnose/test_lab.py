"""The lab: five roles under letters, a score that no second guess improves, and recordings that are real."""

import pytest

from core.diagnose import lab
from core.diagnose.panels import panel_of, recorded_panels
from core.settings import TrainSettings, to_record
from core.train import runs
from core.train.events import History
from core.train.recipes import RECIPES, preset
from core.workspace import Workspace
from tests.conftest import make_toy
from tests.ui.support import events_of_training

RIGHT = {role: role for role in lab.ROLES}


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


def queue(dataset, group, role, **more):
    request = {
        "dataset": dataset.id,
        "settings": to_record(lab.settings_of(role)),
        "lab": {"group": group, "role": role},
    }
    return runs.create_run(dataset.workspace, "train", {**request, **more})


def test_every_round_has_all_roles_in_an_order_of_its_own_that_stays():
    orders = {lab.order_of(f"group {number}") for number in range(200)}
    assert all(set(order) == set(lab.ROLES) for order in orders) and len(orders) > 60
    assert lab.order_of("x") == lab.order_of("x") and len(lab.LETTERS) == len(lab.ROLES)


@pytest.mark.parametrize("role", lab.ROLES)
def test_a_role_trains_as_its_recipe_does(role):
    mine = TrainSettings(seed=7, image_size=96)
    assert lab.settings_of(role, mine) == preset(lab.ROLES[role].recipe, mine)
    assert RECIPES[lab.ROLES[role].recipe].broken == (lab.ROLES[role].kind != "healthy")


def test_a_score_counts_right_guesses_over_all_rounds(workspace):
    assert lab.score(lab.revealed(workspace)) == (0, 0)
    one = lab.reveal(workspace, "g1", {**RIGHT, "too_high": "too_many", "too_many": "too_high"})
    assert (one.right, one.made) == (3, 5)
    lab.reveal(workspace, "g2", RIGHT)
    assert lab.score(lab.revealed(workspace)) == (8, 10)


def test_the_first_reveal_of_a_round_counts(workspace):
    lab.reveal(workspace, "g", {})
    again = lab.reveal(workspace, "g", RIGHT)
    assert (again.right, again.made) == (0, 0) and lab.score(lab.revealed(workspace)) == (0, 0)


def test_a_guess_that_is_no_role_is_none(workspace):
    assert lab.reveal(workspace, "g", {**RIGHT, "too_low": "<script>"}).made == 4


def test_old_rounds_are_forgotten_one_day(workspace, monkeypatch):
    monkeypatch.setattr(lab, "KEPT_ROUNDS", 3)
    for number in range(5):
        lab.reveal(workspace, f"g{number}", RIGHT)
    assert list(lab.revealed(workspace)) == ["g2", "g3", "g4"]


def test_the_newest_round_of_a_data_set_is_found_among_other_runs(tmp_path):
    dataset = make_toy(tmp_path)
    workspace = dataset.workspace
    assert lab.newest_round(runs.list_runs(workspace, "train"), dataset.id) == ("", {})
    for group in ("old", "new"):
        for role in lab.ROLES:
            queue(dataset, group, role)
    plain = runs.create_run(
        workspace, "train", {"dataset": dataset.id, "settings": to_record(lab.settings_of("too_low"))}
    )
    listed = sorted(runs.list_runs(workspace, "train"), key=lambda run: run.record["created"], reverse=True)
    group, found = lab.newest_round(listed, dataset.id)
    assert group == "new" and set(found) == set(lab.ROLES)
    assert lab.group_of(plain) is None and lab.newest_round(listed, "another")[0] == ""
    mended = queue(dataset, "x", "too_low", repairs={"run": found["too_low"].id})
    assert lab.repairs_of([*listed, mended], found["too_low"].id) == [mended]


@pytest.mark.parametrize("about", [None, "x", {"role": "magic", "group": "g"}, {"group": "g"}, []])
def test_a_request_that_anybody_wrote_is_no_round(tmp_path, about):
    dataset = make_toy(tmp_path)
    run = runs.create_run(
        dataset.workspace,
        "train",
        {"dataset": dataset.id, "settings": to_record(lab.settings_of("too_low")), "lab": about},
    )
    assert lab.group_of(run) is None


@pytest.mark.parametrize("role", lab.ROLES)
def test_a_recording_is_what_it_was_set_up_to_be(role):
    panel = recorded_panels()[role]
    assert panel.judged.verdict.kind == lab.ROLES[role].kind
    assert panel.run is None and panel.ended and panel.classes == 3
    assert panel.settings == lab.settings_of(role), "the recipe has changed since: record the lab anew"
    assert len(panel.epochs) == panel.settings.epochs == panel.epochs["at"].iloc[-1]
    assert 0 < panel.batches["at"].min() and panel.batches["at"].max() <= panel.settings.epochs


def test_a_run_of_ones_own_is_a_panel_from_its_first_moment_on(tmp_path):
    dataset = make_toy(tmp_path)
    run = queue(dataset, "g", "just_right")
    waiting = panel_of("just_right", run, History.of([]))
    assert not len(waiting.epochs) and not waiting.ended and waiting.done == 0
    assert waiting.classes == 3, "those of its data set, while it has not begun"
    run = runs.set_state(runs.set_state(run, "starting"), "running")
    for event in events_of_training(dataset, 2, (6, 3)):
        runs.append_event(run, event)
    assert panel_of("just_right", run, runs.history(run)).epochs["at"].tolist() == [1, 2]
    assert panel_of("just_right", run, runs.history(run)).done == 0.5, "two of its four epochs"
    done = panel_of("just_right", runs.set_state(run, "done"), runs.history(run))
    assert done.ended and done.batches["at"].tolist() == [0.5, 1.0, 1.5, 2.0]


def test_a_run_whose_pictures_were_deleted_while_it_waited_is_a_panel_all_the_same(tmp_path):
    dataset = make_toy(tmp_path)
    run = queue(dataset, "g", "just_right")
    dataset.path.rename(dataset.path.with_name("gone"))
    assert panel_of("just_right", run, History.of([])).classes == 2


def test_the_time_left_follows_the_pace_of_the_runs_that_are_through():
    assert lab.seconds_left({"a": 2.0, "b": 10.0}, {}, {}) == 12
    assert lab.seconds_left({"a": 2.0, "b": 10.0}, {"b": 0.5}, {"a": 4.0}) == 6.25, "slower than expected"
    assert lab.seconds_left({"a": 2.0, "b": 10.0}, {"b": 0.5}, {"a": 1.0}) == 4.375, "faster than expected"
    assert lab.seconds_left({"a": 2.0, "b": 10.0}, {}, {"a": 1.0, "b": 5.0}) == 0
    assert lab.seconds_left({}, {}, {}) == 0 and lab.seconds_left({"a": 0.0}, {}, {}) == 0
