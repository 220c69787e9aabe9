"""The Train page before a run: every recipe, own stages, checkpoints, and what comes with the address."""

from dataclasses import replace

import pytest

from core.settings import TrainSettings, from_record
from core.train import runs
from core.train.recipes import RECIPES, preset
from core.train.schedules import SCHEDULES
from core.ui import stage_form
from tests.conftest import make_toy
from tests.train.test_starts import ALL, trained
from tests.ui.support import labels, open_page, words

ALONE = [name for name in RECIPES if name != "mistakes"]


def started(lab):
    """The settings of the run that was just started, and its request."""
    run = runs.list_runs(lab.workspace, "train")[0]
    return from_record(run.request["settings"]), run.request


def press(app):
    app.button(key="train.start").click().run()
    assert not app.exception and not app.error, words(app)


@pytest.mark.parametrize("name", ALONE)
def test_every_recipe_starts_as_it_says(lab, name):
    make_toy(lab.home)
    app = open_page("train")
    app.selectbox(key="train.preset").set_value(name).run()
    assert not app.exception and app.get("echarts_chart"), words(app)
    press(app)
    settings, request = started(lab)
    assert request["preset"] == name
    made = preset(name)
    if made.image_size == settings.image_size:
        assert settings == made


def test_another_recipe_brings_its_own_epochs_and_rate(lab):
    make_toy(lab.home)
    app = open_page("train")
    app.selectbox(key="train.preset").set_value("too_many").run()
    press(app)
    assert started(lab)[0].epochs == 40


def test_the_plan_says_how_many_weights_learn_and_how_long_it_takes(lab):
    make_toy(lab.home)
    said = words(open_page("train"))
    assert "1.3 M weights learn" in said and "a guess" in said and "❄ frozen" in said
    assert "2,560 numbers" in said and "augmentation has no effect" in said
    app = open_page("train")
    app.selectbox(key="train.preset").set_value("standard").run()
    assert "First 1.3 M of 4.7 M weights learn, then all of them" in words(app)
    assert "low end of the rates is found" in words(app)


def test_what_lies_under_more_counts(lab):
    make_toy(lab.home)
    app = open_page("train")
    app.toggle(key="train.keep_best").set_value(True)
    app.number_input(key="train.patience").set_value(3)
    app.number_input(key="train.decay").set_value(0.1)
    app.select_slider(key="train.share").set_value(0.5)
    app.selectbox(key="train.precision").set_value("float32").run()
    press(app)
    settings = started(lab)[0]
    assert (settings.keep_best, settings.patience, settings.weight_decay) == (True, 3, 0.1)
    assert (settings.train_share, settings.precision) == (0.5, "float32")


# --- own stages


def own(lab, before="standard"):
    make_toy(lab.home)
    app = open_page("train")
    app.selectbox(key="train.preset").set_value(before).run()
    app.selectbox(key="train.preset").set_value("own").run()
    assert not app.exception, words(app)
    return app


def keys(app, ending):
    """Keys of the controls of the stages, in order."""
    return [widget.key for kind in ("button", "number_input", "selectbox", "text_input") for widget in app.get(kind)
            if widget.key and widget.key.startswith("stage.") and widget.key.endswith(ending)]  # fmt: skip


def test_own_stages_begin_as_those_of_the_recipe_before(lab):
    app = own(lab)
    press(app)
    settings, request = started(lab)
    first, second = preset("standard").stages
    assert settings.stages == (first, replace(second, lr=(None, 3e-4))) and request["preset"] == "own"


def test_stages_are_added_duplicated_moved_and_deleted(lab):
    app = own(lab, "quick")
    app.button(key="stage.add").click().run()
    app.button(key=keys(app, ".copy")[0]).click().run()
    app.button(key=keys(app, ".up")[2]).click().run()
    app.button(key=keys(app, ".delete")[0]).click().run()
    assert not app.exception
    press(app)
    stages = started(lab)[0].stages
    assert [stage.first_group for stage in stages] == [0, 2]


def test_a_stage_is_edited_and_its_line_says_so(lab):
    app = own(lab, "quick")
    app.number_input(key=keys(app, ".epochs")[0]).set_value(7)
    app.selectbox(key=keys(app, ".learns")[0]).set_value(1)
    app.selectbox(key=keys(app, ".way")[0]).set_value("a slice").run()
    app.text_input(key=keys(app, ".low")[0]).set_value("1e-5")
    app.text_input(key=keys(app, ".high")[0]).set_value("1e-3").run()
    app.selectbox(key=keys(app, ".balance")[0]).set_value("oversample")
    app.number_input(key=keys(app, ".mixup")[0]).set_value(0.4).run()
    assert any("late layers and head · 7 epochs · 1e-5 to 1e-3" in fold.label for fold in app.expander)
    press(app)
    [stage] = started(lab)[0].stages
    assert (stage.epochs, stage.freeze_to, stage.lr) == (7, 1, (1e-5, 1e-3))
    assert (stage.balance, stage.mixup) == ("oversample", 0.4)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_can_be_chosen_and_is_drawn(lab, schedule):
    app = own(lab, "quick")
    app.selectbox(key=keys(app, ".schedule")[0]).set_value(schedule).run()
    assert not app.exception and not app.error and app.get("echarts_chart")
    press(app)
    assert started(lab)[0].stages[0].schedule == schedule


def test_the_options_of_a_schedule_reach_the_run(lab):
    app = own(lab, "quick")
    app.selectbox(key=keys(app, ".schedule")[0]).set_value("sgdr").run()
    app.number_input(key=keys(app, ".cycle_mult")[0]).set_value(2.0).run()
    press(app)
    assert started(lab)[0].stages[0].options == {"cycle_mult": 2.0}


@pytest.mark.parametrize("typed", ["fast", "-1", "0", "nan"])
def test_a_stage_that_cannot_be_used_is_one_sentence_and_the_others_stay(lab, typed):
    app = own(lab)
    app.text_input(key=keys(app, ".high")[0]).set_value(typed).run()
    assert len(app.error) == 1 and not app.exception and "Stage 1 cannot be trained" in words(app)
    assert app.button(key="train.start").disabled and len(keys(app, ".epochs")) == 2
    app.text_input(key=keys(app, ".high")[0]).set_value("1e-3").run()
    assert not app.error and not app.button(key="train.start").disabled


def test_a_stage_in_one_line():
    frozen, unfrozen = preset("standard").stages
    assert stage_form.words(frozen) == "the head alone · 4 epochs · 3e-3 · one-cycle"
    assert stage_form.words(unfrozen) == "all layers · 4 epochs · finder to 3e-4 · one-cycle · photos"
    assert "restarts (SGDR)" in stage_form.words(preset("style_2018").stages[2])


# --- checkpoints and addresses


def test_a_checkpoint_is_chosen_and_the_run_goes_on_from_it(lab):
    dataset = make_toy(lab.home)
    run = trained(dataset, files=ALL)
    app = open_page("train", start=f"{run.id}:stage-0.safetensors")
    box = app.selectbox(key="train.from")
    assert any("After stage 1, before unfreezing: 7 of 12 wrong" in option for option in box.options)
    assert (
        "network is that of the checkpoint" in words(app)
        and "Learn from mistakes" in app.selectbox(key="train.preset").options
    )
    press(app)
    assert started(lab)[1]["start"] == {"run": run.id, "file": "stage-0.safetensors"}


def test_without_a_checkpoint_there_is_nothing_to_choose_and_no_learning_from_mistakes(lab):
    make_toy(lab.home)
    app = open_page("train", preset="mistakes")
    assert "train.from" not in [box.key for box in app.selectbox]
    assert "Learn from mistakes" not in app.selectbox(key="train.preset").options
    press(app)
    assert "start" not in started(lab)[1]


def test_a_checkpoint_of_other_classes_is_one_sentence(lab):
    dataset, other = make_toy(lab.home), make_toy(lab.home, name="two", classes=2)
    run = trained(dataset, files=ALL)
    app = open_page("train", dataset=other.id, start=f"{run.id}:last.safetensors")
    assert not app.exception and app.button(key="train.start").disabled or "There is no checkpoint" in words(app)


@pytest.mark.parametrize("start", ["a" * 26 + ":last.safetensors", "<b>x", "../x:best.safetensors"])
def test_a_checkpoint_that_is_not_yours_is_one_sentence_and_the_form_stays(lab, start):
    make_toy(lab.home)
    app = open_page("train", start=start)
    assert len(app.error) == 1 and not app.exception and "Train" in labels(app)


def test_a_rate_from_the_address_is_taken_once(lab):
    make_toy(lab.home)
    app = open_page("train", rate="2.7e-3")
    assert app.text_input(key="train.exact").value == "0.0027" and "rate" not in app.query_params
    press(app)
    assert started(lab)[0].stages[0].lr == 2.7e-3


def test_a_picked_rate_outlives_a_change_of_the_recipe_but_not_one_that_goes_wrong_on_purpose(lab):
    make_toy(lab.home)
    app = open_page("train", rate="2.7e-3")
    app.selectbox(key="train.preset").set_value("standard").run()
    assert app.text_input(key="train.exact").value == "0.0027"
    app.selectbox(key="train.preset").set_value("too_low").run()
    press(app)
    assert started(lab)[0].stages[0].lr == 1e-5


def test_a_slice_without_a_checkpoint_is_the_second_stage_of_the_standard_recipe(lab):
    make_toy(lab.home)
    app = open_page("train", rate="3e-4", low="1e-5")
    press(app)
    settings, request = started(lab)
    assert request["preset"] == "standard" and settings.stages[0].lr == pytest.approx(3e-3)
    assert settings.stages[1].lr == pytest.approx((1e-5, 3e-4)) and not settings.stages[1].find_lr


def test_a_slice_after_a_checkpoint_is_one_stage_for_all_layers(lab):
    run = trained(make_toy(lab.home), files=ALL)
    app = open_page("train", rate="3e-4", low="1e-5", start=f"{run.id}:stage-0.safetensors")
    press(app)
    settings, request = started(lab)
    [stage] = settings.stages
    assert (stage.lr, stage.first_group, request["preset"]) == ((1e-5, 3e-4), 0, "own")


@pytest.mark.parametrize("rate", ["fast", "-1", "nan", "<script>"])
def test_a_rate_in_the_address_that_is_none_is_passed_over(lab, rate):
    make_toy(lab.home)
    app = open_page("train", rate=rate, low=rate, preset=rate)
    assert not app.exception and not app.error
    press(app)
    assert started(lab)[0] == replace(TrainSettings(), stages=preset("quick").stages)


# --- after a run


def test_a_run_offers_its_save_points_and_the_way_back_before_unfreezing(lab):
    run = trained(make_toy(lab.home), files=ALL)
    app = open_page("train", run=run.id)
    assert "After stage 1, before unfreezing: 7 of 12 wrong" in labels(app)
    app.button(key="train.start.stage-0.safetensors").click().run()
    assert app.selectbox(key="train.from").value == f"{run.id}:stage-0.safetensors"


def test_a_run_leads_to_its_comparison(lab):
    run = trained(make_toy(lab.home), files=ALL)
    app = open_page("train", run=run.id)
    app.button(key="train.compare").click().run()
    assert app.title[0].value == "Compare your runs" and run.id in str(app.query_params["compare"])


def test_without_memory_smaller_pictures_are_offered_with_what_they_cost(lab):
    run = trained(make_toy(lab.home), files=("stage-0.safetensors",), course=[(0, 0, 9, 0.9)], state="running_out")
    app = open_page("train", run=run.id)
    assert "Pictures of 160 pixels need about 51 % of the memory" in words(app)
    app.button(key="train.smaller").click().run()
    assert started(lab)[0].image_size == 160 and started(lab)[0].stages == preset("standard", epochs=2).stages


def test_an_explosion_says_when_and_offers_the_checkpoint_before_it(lab):
    run = trained(make_toy(lab.home), files=("stage-0.safetensors",), course=[(0, 0, 9, 0.9)], state="exploded")
    said = open_page("train", run=run.id)
    assert "exploded in epoch 2 of stage 2" in words(
        said
    ) and "After stage 1, before unfreezing: 9 of 12 wrong" in labels(said)
