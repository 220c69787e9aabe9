"""Two runs beside each other: differences as sentences, and what counts as the same run done twice."""

import math
from dataclasses import fields, replace

import pytest

from core.settings import Stage, TrainSettings, to_record
from core.train.aspects import ORDER, RUN, STAGE, checkpoint_words, stage_words, tags
from core.train.compare import Setup, between, differences, differing, fingerprint, likeness, setup_of
from core.train.events import EpochDone, History, Started
from core.train.recipes import RECIPES, preset
from core.train.runs import create_run
from core.workspace import Workspace

QUICK, STANDARD = preset("quick"), preset("standard")
# one value for each setting that differs from the usual one
OTHER_RUN = {"backbone": "resnet18", "weights": "random", "seed": 7, "device": "cpu", "train_share": 0.5,
             "keep_best": True, "patience": 3}  # fmt: skip
OTHER_STAGE = {"epochs": 8, "lr": 1e-2, "freeze_to": 0, "schedule": "sgdr", "options": {"cycle_mult": 2},
               "find_lr": True, "augment": "photos", "mixup": 0.4, "label_smoothing": 0.1, "balance": "oversample",
               "data": "mistakes", "image_size": 128, "batch_size": 32, "weight_decay": 0.1, "dropout": 0.2,
               "precision": "float32"}  # fmt: skip


def epoch(number, *, stage=0, loss=0.5, seconds=1.0, wrong=3):
    row = (loss, loss, loss, loss, wrong / 12, 1 - wrong / 12, wrong, 12, 1e-3, seconds, 99.0 / seconds)
    return EpochDone(number, stage, number, *row)


def history(*losses, seconds=1.0):
    return History.of([epoch(place, loss=loss, seconds=seconds) for place, loss in enumerate(losses)])


def stages(settings, **changes):
    return replace(settings, stages=tuple(replace(stage, **changes) for stage in settings.stages))


# --- differences


@pytest.mark.parametrize("name", RECIPES)
def test_settings_do_not_differ_from_themselves(name):
    assert differences(preset(name), preset(name)) == []


@pytest.mark.parametrize(("b", "said"), [
    (replace(QUICK, seed=7), "It has the seed 7 instead of 42."),
    (preset("quick", lr=3e-2), "It learns at 3e-2 instead of 3e-3."),
    (preset("quick", epochs=1), "It takes 1 epoch instead of 4."),
    (replace(QUICK, image_size=128), "It sees pictures of 128 pixels instead of 224."),
    (stages(QUICK, image_size=128), "It sees pictures of 128 pixels instead of 224."),
    (
        stages(QUICK, lr=(3e-5, 3e-4), freeze_to=0),
        "It trains all layers at 3e-5 to 3e-4 instead of the head alone at 3e-3.",
    ),
    (stages(QUICK, augment="photos"), "It shows pictures changed at random (photos) instead of pictures as they are."),
    (replace(QUICK, train_share=0.1), "It learns from 10 % of the training pictures instead of all training pictures."),
    (replace(QUICK, keep_best=True), "It keeps the best epoch of each stage instead of the last epoch of each stage."),
    (
        stages(QUICK, schedule="step", options={"at": [0.3, 0.9]}),
        "It follows steps (at 0.3 and 0.9) instead of one cycle.",
    ),
    (stages(QUICK, schedule="linear"), "It follows a straight line instead of one cycle."),
    (
        stages(QUICK, schedule="sgdr", options={"cycle_len": 1}),
        "It follows restarts (cycle len 1) instead of one cycle.",
    ),
])  # fmt: skip
def test_one_difference_is_one_sentence(b, said):
    assert differences(QUICK, b) == [said]


def test_stages_are_told_one_by_one():
    other = replace(STANDARD, stages=(STANDARD.stages[0], replace(STANDARD.stages[1], epochs=8, freeze_to=1)))
    assert differences(STANDARD, other) == [
        "Stage 2 trains the later layers and the head instead of all layers.",
        "Stage 2 takes 8 epochs instead of 4.",
    ]


def test_what_changes_in_every_stage_is_said_once():
    assert differences(STANDARD, replace(STANDARD, dropout=0.2)) == ["Every stage has a dropout of 0.2 instead of 0.5."]


def test_a_stage_that_only_one_of_them_has_is_told_as_a_whole():
    second = "all layers at the finder's rate to 3e-4, 4 epochs, pictures changed at random (photos)"
    assert differences(QUICK, STANDARD) == [f"It has a stage 2: {second}."]
    assert differences(STANDARD, QUICK) == [f"It has no stage 2, which was: {second}."]
    assert stage_words(STANDARD.resolved[1]) == second


def test_where_the_number_of_stages_differs_each_change_names_its_stage():
    assert differences(STANDARD, preset("quick", epochs=1))[0] == "Stage 1 takes 1 epoch instead of 4."


@pytest.mark.parametrize(("name", "value"), OTHER_RUN.items())
def test_every_setting_of_a_run_makes_a_difference(name, value):
    assert len(differences(QUICK, replace(QUICK, **{name: value}))) == 1


@pytest.mark.parametrize(("name", "value"), OTHER_STAGE.items())
def test_every_setting_of_a_stage_makes_a_difference(name, value):
    [said] = differences(QUICK, stages(QUICK, **{name: value}))
    assert said.startswith("It ") and said.endswith(".") and " instead of " in said and "  " not in said


def test_the_tables_of_words_know_every_setting():
    shared = {"image_size", "batch_size", "weight_decay", "dropout", "precision"}
    assert {item.name for item in fields(TrainSettings)} - {"stages"} - shared == set(OTHER_RUN) == set(RUN)
    assert {item.name for item in fields(Stage)} == set(OTHER_STAGE)
    assert sorted(ORDER) == sorted([*RUN, *STAGE])


def test_settings_that_work_alike_do_not_differ():
    assert differences(QUICK, stages(QUICK, freeze_to=2, image_size=224)) == []
    assert differences(QUICK, stages(QUICK, lr=(3e-3, 3e-3))) == []


def test_data_start_and_recipe_are_told_before_the_settings():
    a = Setup(QUICK, "d1", "aaaaaaaaaa", None, "quick")
    b = Setup(replace(QUICK, seed=7), "d1", "bbbbbbbbbb", ("r", "stage-0.safetensors"), "standard")
    assert between(a, b, names={"r": "first try"}) == [
        "It learned from another version of the data: bbbbbb instead of aaaaaa.",
        "It goes on from first try (after stage 1) instead of starting anew.",
        "It follows the recipe “Standard” instead of the recipe “Quick”.",
        "It has the seed 7 instead of 42.",
    ]
    assert between(b, a)[1] == "It starts anew instead of going on from another run (after stage 1)."
    other = replace(a, dataset="d2", version="c" * 64)
    assert between(a, other, names={"d1": "bears", "d2": "cats"}) == [
        "It learned from cats (cccccc) instead of bears (aaaaaa)."
    ]
    assert between(replace(a, mistakes="m1"), replace(a, mistakes="m2")) == ["It learned from another set of mistakes."]
    assert between(a, replace(a, preset="own")) == [], "a name alone is no difference"


@pytest.mark.parametrize(("file", "words"), [
    ("last.safetensors", "as it ended"), ("best.safetensors", "at its best epoch"),
    ("stage-0.safetensors", "after stage 1"), ("stage-x", "stage-x"), ("", ""),
])  # fmt: skip
def test_a_checkpoint_is_told_in_words(file, words):
    assert checkpoint_words(file) == words


# --- what differs among many


def test_only_what_is_not_the_same_in_all_of_them_is_named_for_each():
    many = [QUICK, preset("quick", lr=3e-2), replace(QUICK, seed=7)]
    assert differing(many) == [["rate 3e-3", "seed 42"], ["rate 3e-2", "seed 42"], ["rate 3e-3", "seed 7"]]
    assert differing([QUICK, QUICK]) == [[], []] and differing([]) == []


def test_stages_follow_one_another_in_the_short_words_too():
    assert differing([QUICK, STANDARD])[1] == [
        "rate 3e-3, then found to 3e-4", "head, then all layers", "augmented",
    ]  # fmt: skip
    assert differing([QUICK, stages(QUICK, mixup=0.4)]) == [[], ["mixup 0.4"]], "what is not done is not named"


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_short_words(name):
    assert all(isinstance(tag, str) and "None" not in tag for tag in tags(preset(name)).values())


# --- the same again


def same(a, b, *, first=QUICK, second=QUICK, **changes):
    return likeness(fingerprint(Setup(first), a), fingerprint(replace(Setup(second), **changes), b))


def test_the_same_seed_and_the_same_numbers_are_the_same_run_however_fast_it_went():
    assert same(history(0.5, 0.25), history(0.5, 0.25, seconds=9.0)) == "identical"
    assert same(history(0.5, 0.25), history(0.5, 0.25), second=stages(QUICK, freeze_to=2)) == "identical"
    assert same(history(0.5), history(0.5), preset="own") == "identical", "a recipe is only a name"


def test_the_last_digit_of_any_number_tells_two_runs_apart():
    assert same(history(0.5, 0.25), history(0.5, math.nextafter(0.25, 1))) == "other_numbers"
    other = History.of([epoch(0), epoch(1, wrong=4)])
    assert same(history(0.5, 0.5), other) == "other_numbers"


def test_a_run_that_was_stopped_is_the_same_so_far():
    assert same(history(0.5), history(0.5, 0.25)) == "so_far"
    assert same(history(0.4), history(0.5, 0.25)) == "other_numbers"
    assert same(history(), history(0.5)) == same(history(), history()) == "no_numbers"


def test_a_loss_that_is_not_a_number_equals_itself():
    assert same(history(math.nan, math.inf), history(math.nan, math.inf)) == "identical"


@pytest.mark.parametrize("changes", [{"version": "v2"}, {"start": ("r", "last.safetensors")}, {"mistakes": "m"}])
def test_other_data_or_another_start_is_another_run(changes):
    assert same(history(0.5), history(0.5), **changes) == "different"


@pytest.mark.parametrize("settings", [
    *(replace(QUICK, **{name: value}) for name, value in OTHER_RUN.items()),
    *(stages(QUICK, **{name: value}) for name, value in OTHER_STAGE.items()),
])  # fmt: skip
def test_any_other_setting_is_another_run(settings):
    assert same(history(0.5), history(0.5), second=settings) == "different"


def test_the_later_epoch_of_a_resumed_run_counts():
    resumed = History.of([epoch(0, loss=0.5), epoch(1, loss=0.9), epoch(1, loss=0.25)])
    assert same(history(0.5, 0.25), resumed) == "identical"


def test_a_setup_is_read_off_the_request_and_what_the_run_found(tmp_path):
    workspace = Workspace(tmp_path)
    request = {"dataset": "d", "settings": to_record(QUICK), "preset": "quick"}
    run = create_run(workspace, "train", request)
    assert setup_of(run, History.of([])) == Setup(QUICK, "d", "", None, "quick")
    started = Started(0, "d", "v1", ("a", "b"), 9, 3, 4, 0.5, "cpu", "float32")
    start = {"run": "r", "file": "best.safetensors"}
    run = create_run(workspace, "train", {**request, "start": start, "version": "asked"})
    (run.path / "mistakes.csv").write_text("file,label\n")
    assert setup_of(run, History.of([])).version == "asked"
    assert setup_of(run, History.of([started])) == Setup(QUICK, "d", "v1", ("r", "best.safetensors"), "quick")


def test_the_set_of_mistakes_counts_where_a_stage_learns_from_it(tmp_path):
    workspace = Workspace(tmp_path)
    wrong = to_record(stages(QUICK, data="mistakes"))
    found = []
    for settings, text in ((wrong, "a"), (wrong, "b"), (to_record(QUICK), "a"), (to_record(QUICK), "b")):
        run = create_run(workspace, "train", {"dataset": "d", "settings": settings, "preset": "own"})
        (run.path / "mistakes.csv").write_text(text)
        found.append(fingerprint(setup_of(run, History.of([])), history(0.5)))
    assert likeness(*found[:2]) == "different" and likeness(*found[2:]) == "identical"
