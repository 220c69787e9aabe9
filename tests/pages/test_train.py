"""The Train page before a run, every recipe and own stages; and after one, the ways on."""

import pytest

from core.train.recipes import preset
from core.train.schedules import SCHEDULES, options_of
from core.ui import stage_form
from tests.conftest import make_toy
from tests.pages.training import ALONE, BROKEN, choose, keys, own, press, started
from tests.train.test_starts import ALL, trained
from tests.ui.support import labels, open_page, words


@pytest.mark.parametrize("name", ALONE)
def test_every_recipe_starts_as_it_says(lab, name):
    make_toy(lab.home)
    app = open_page("train")
    choose(app, name)
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
    choose(app, "too_many")
    press(app)
    assert started(lab)[0].epochs == 60


def test_the_plan_says_how_many_weights_learn_and_how_long_it_takes(lab):
    make_toy(lab.home)
    said = words(open_page("train"))
    assert "1.3 M weights learn" in said and "a guess" in said and "❄ frozen" in said
    assert "2,560 numbers" in said and "augmentation has no effect" in said
    app = open_page("train")
    choose(app, "standard")
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


def test_own_stages_begin_as_those_of_the_recipe_before(lab):
    app = own(lab)
    press(app)
    settings, request = started(lab)
    assert settings.stages == preset("standard").stages and request["preset"] == "own"


def test_own_stages_keep_what_was_typed_and_what_their_recipe_decides_for_the_run(lab):
    make_toy(lab.home)
    app = open_page("train")
    choose(app, "style_2018")
    app.text_input(key="train.exact").set_value("2.7e-3")
    app.segmented_control(key="train.ratio").set_value(3.0).run()
    choose(app, "own")
    press(app)
    rates = [stage.lr for stage in preset("style_2018", lr=2.7e-3, ratio=3.0).stages]
    assert [stage.lr for stage in started(lab)[0].stages] == rates and rates[2] == pytest.approx((3e-4, 2.7e-3))


@pytest.mark.parametrize("name", BROKEN)
def test_a_recipe_that_is_taken_apart_trains_as_before(lab, name):
    make_toy(lab.home)
    app = open_page("train")
    choose(app, name)
    choose(app, "own")
    press(app)
    assert started(lab)[0] == preset(name)


@pytest.mark.parametrize("name", BROKEN)
def test_what_a_recipe_decided_for_the_run_goes_with_its_stages(lab, name):
    make_toy(lab.home)
    app = open_page("train")
    for chosen in (name, "own", "quick"):
        choose(app, chosen)
    press(app)
    assert started(lab)[0] == preset("quick")


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


def test_every_option_of_every_schedule_has_a_name_and_a_control(lab):
    app = own(lab, "quick")
    for schedule in SCHEDULES:
        app.selectbox(key=keys(app, ".schedule")[0]).set_value(schedule).run()
        drawn = {
            widget.key.rsplit(".", 1)[1]
            for kind in ("number_input", "multiselect")
            for widget in app.get(kind)
            if f".{schedule}." in str(widget.key)
        }
        by_hand = set(options_of(schedule)) if schedule == "painted" else set()
        assert drawn == set(options_of(schedule)) - by_hand and not app.exception
        assert bool(by_hand) == ("Drag its knots" in labels(app)), "knots are shown, and dragged elsewhere"


def test_where_a_rate_falls_and_where_it_ends_are_chosen(lab):
    app = own(lab, "quick")
    app.selectbox(key=keys(app, ".schedule")[0]).set_value("step").run()
    [places] = [control for control in app.multiselect if control.key.endswith(".at")]
    places.set_value([0.25, 0.9]).run()
    app.button(key=keys(app, ".copy")[0]).click().run()
    app.selectbox(key=keys(app, ".schedule")[1]).set_value("exponential").run()
    [lowest] = [control for control in app.number_input if control.key.endswith(".exponential.lr_min")]
    lowest.set_value(1e-5).run()
    press(app)
    first, second = started(lab)[0].stages
    assert list(first.options["at"]) == [0.25, 0.9] and second.options == {"lr_min": 1e-5}


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
