"""The Train page and its address: checkpoints to start from, rates that are brought along, and a form that outlives a
refresh."""

from dataclasses import replace

import pytest

from core.settings import TrainSettings
from core.train.recipes import preset
from core.ui.recipe_address import packed
from tests.conftest import make_toy
from tests.pages.training import ALONE, choose, keys, own, press, started
from tests.train.test_starts import ALL, trained
from tests.ui.support import labels, open_page, words


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
    app = open_page("train", dataset=other.id, start=f"{run.id}:stage-0.safetensors")
    assert not app.exception and app.button(key="train.start").disabled and "knows other classes" in words(app)


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
    choose(app, "standard")
    assert app.text_input(key="train.exact").value == "0.0027"
    choose(app, "too_low")
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


@pytest.mark.parametrize("typed", ["fast", "0", "1e99"])
def test_a_typed_rate_that_is_none_leaves_the_form_as_it_is(lab, typed):
    make_toy(lab.home)
    app = open_page("train")
    app.text_input(key="train.exact").set_value(typed).run()
    assert app.button(key="train.start").disabled and "clear it" in words(app)
    app.text_input(key="train.exact").set_value("").run()
    assert not app.error and not app.button(key="train.start").disabled


# --- the address holds the form


def refreshed(app, **more):
    """The same address in a session that knows nothing."""
    query = {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}
    return open_page("train", **{**query, **more})


@pytest.mark.parametrize("name", ALONE)
def test_a_refresh_finds_every_recipe_as_it_was(lab, name):
    make_toy(lab.home)
    app = open_page("train")
    choose(app, name)
    assert app.query_params["preset"] in (name, [name]) and "form" not in app.query_params
    app = refreshed(app)
    press(app)
    settings, request = started(lab)
    assert request["preset"] == name and settings == preset(name, TrainSettings())
    assert "preset" not in app.query_params and "form" not in app.query_params


def test_a_refresh_finds_every_control_as_it_was(lab):
    make_toy(lab.home)
    app = open_page("train")
    choose(app, "standard")
    app.slider(key="train.epochs").set_value(7)
    app.text_input(key="train.exact").set_value("2.7e-3")
    app.number_input(key="train.seed").set_value(9)
    app.number_input(key="train.dropout").set_value(0.25)
    app.select_slider(key="train.share").set_value(0.5)
    app.selectbox(key="train.weights").set_value("random")
    app.toggle(key="train.keep_best").set_value(True).run()
    app = refreshed(app)
    press(app)
    usual = TrainSettings(seed=9, dropout=0.25, train_share=0.5, weights="random", keep_best=True)
    assert started(lab)[0] == preset("standard", usual, epochs=7, lr=2.7e-3)


def test_a_refresh_finds_own_stages_as_they_were(lab):
    app = own(lab)
    app.selectbox(key=keys(app, ".schedule")[0]).set_value("step").run()
    [places] = [control for control in app.multiselect if control.key.endswith(".at")]
    places.set_value([0.3]).run()
    app.number_input(key=keys(app, ".epochs")[1]).set_value(9).run()
    app = refreshed(app)
    press(app)
    first, second = started(lab)[0].stages
    assert list(first.options["at"]) == [0.3] and second.epochs == 9
    assert second.lr == preset("standard").stages[1].lr and second.find_lr


def test_what_own_stages_borrowed_is_given_back_after_a_refresh_too(lab):
    make_toy(lab.home)
    app = open_page("train")
    choose(app, "too_many")
    choose(app, "own")
    app = refreshed(app)
    assert app.select_slider(key="train.share").value == 0.25
    choose(app, "quick")
    press(app)
    assert started(lab)[0] == preset("quick")


def test_a_slice_from_the_finder_outlives_a_refresh(lab):
    make_toy(lab.home)
    app = refreshed(open_page("train", rate="3e-4", low="1e-5"))
    press(app)
    assert started(lab)[0].stages[1].lr == pytest.approx((1e-5, 3e-4))


STRANGE = (
    {"epochs": 999, "lr": [], "exact": 7, "seed": -1, "share": 0.3, "keep_best": "yes", "decay": True, "low": "x"},
    {"stages": [{"epochs": "4"}], "backbone": None},
    {"stages": [{"epochs": 4.5}]},
    {"stages": [{"label_smoothing": 0.95}]},
    {"stages": [{"options": {"div": "<b>"}}]},
    {"stages": [{"schedule": ["x"]}]},
    {"stages": [{"batch_size": 64.5}, {"x": 1}]},
    {"stages": {"epochs": 4}},
    {"stages": [{}] * 50},
)


@pytest.mark.parametrize("said", [*(packed(said) for said in STRANGE), "%%%", "W10", packed({"a": "b" * 9000})])
@pytest.mark.parametrize("name", ["quick", "own"])
def test_a_form_in_the_address_that_is_none_is_passed_over(lab, said, name):
    make_toy(lab.home)
    app = open_page("train", preset=name, form=said)
    assert not app.exception and not app.error, words(app)
    press(app)
    assert started(lab)[0] == preset("quick")
