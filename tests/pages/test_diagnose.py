"""The page of what went wrong: it is never empty, covers what is to be guessed, and a fix begins where it should."""

import pytest

from core.diagnose import lab as rounds
from core.settings import Stage, TrainSettings, to_record
from core.train import runs
from core.train.events import BatchDone, Diverged, EpochDone, Finished, StageStarted, Started
from core.train.experiment_point import ExperimentPoint
from tests.conftest import make_toy
from tests.ui.support import events_of_training, labels, open_page, training_run, words

ROLES = list(rounds.ROLES)


def reveal(app):
    return app.button(key="lab.reveal").click().run()


def guesses(app):
    return [box for box in app.selectbox if str(box.key).startswith("lab.guess.")]


def own_round(lab, dataset, *, state="done"):
    """Five runs of one round, as far as `state`."""
    made = {}
    for role in ROLES:
        request = {"dataset": dataset.id, "settings": to_record(rounds.settings_of(role)), "preset": "quick"}
        run = runs.create_run(lab.workspace, "train", {**request, "lab": {"group": "g", "role": role}})
        if state != "queued":
            run = runs.set_state(runs.set_state(run, "starting"), "running")
            for event in events_of_training(dataset, 2, (6, 3)):
                runs.append_event(run, event)
            run = run if state == "running" else runs.set_state(run, state)
        made[role] = run
    return made


def ruined(dataset, *, stages, saved=()):
    """A run whose last stage went wrong: an absurd loss and an error of guessing."""
    settings = TrainSettings(stages=stages)
    run = runs.create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings)})
    run = runs.set_state(runs.set_state(run, "starting"), "running")
    runs.append_event(run, Started(0, dataset.id, dataset.version, dataset.classes, 27, 12, 8, 0.66, "cpu", "float32"))
    for number, stage in enumerate(stages):
        bad = number == len(stages) - 1
        runs.append_event(run, StageStarted(1, number, stage.epochs, stage.epochs, True, True, (1e-3,), "one_cycle", 9))
        for epoch in range(stage.epochs):
            loss, wrong = (90.0, 8) if bad else (0.8 / (epoch + 1), 2)
            runs.append_event(run, BatchDone(2, number, epoch, epoch, 1e-3, 0.9, 1.1, 1.1))
            runs.append_event(
                run,
                EpochDone(
                    3, number, epoch, loss, loss, loss, loss, wrong / 12, 1 - wrong / 12, wrong, 12, 1e-3, 0.5, 9.0
                ),
            )
    runs.append_event(run, Finished(9, "done", 8 / 12, 8, 12, 3.0))
    for name in saved:
        (run.path / name).write_bytes(b"weights")
    return runs.set_state(run, "done")


def test_without_a_data_set_recorded_runs_can_be_guessed(lab):
    app = open_page("diagnose")
    assert not app.exception and "Recorded runs" in words(app) and len(app.get("echarts_chart")) == 5
    assert not any(role.title in words(app) for role in rounds.ROLES.values())
    app = reveal(app)
    assert all(role.title in words(app) for role in rounds.ROLES.values()) and "without a guess" in words(app)
    assert "a recording" in words(app)


def test_each_of_the_five_is_guessed_once_before_they_are_checked(lab):
    app = open_page("diagnose")
    assert app.button(key="lab.check").disabled
    for box in guesses(app):
        box.set_value("too_high")
    app.run()
    assert "is chosen twice" in words(app) and app.button(key="lab.check").disabled
    for box, role in zip(guesses(app), rounds.order_of("recorded"), strict=True):
        box.set_value(role)
    app.run()
    app.button(key="lab.check").click().run()
    assert "5 of 5 right" in words(app) and "5 of 5 over all rounds" in words(app)
    again = open_page("diagnose")
    assert "5 of 5 right" in words(again), "a refresh finds it revealed"
    again.button(key="lab.again").click().run()
    assert not any(role.title in words(again) for role in rounds.ROLES.values()) and len(guesses(again)) == 5


def test_the_five_are_queued_under_one_round_in_the_order_of_its_letters(lab):
    dataset = make_toy(lab.home)
    app = open_page("diagnose", dataset=dataset.id)
    app.button(key="lab.start").click().run()
    assert not app.exception and not app.error
    made = sorted(runs.list_runs(lab.workspace, "train"), key=lambda run: run.record["created"])
    about = [rounds.group_of(run) for run in made]
    assert len({group for group, _ in about}) == 1
    assert tuple(role for _, role in about) == rounds.order_of(about[0][0])
    assert "0 of 5 are through" in words(app) and "Your own runs" in words(app)


def test_a_round_of_ones_own_is_covered_until_it_is_revealed_and_offers_its_fix(lab):
    dataset = make_toy(lab.home)
    own_round(lab, dataset)
    app = open_page("diagnose", dataset=dataset.id)
    assert "Your own runs" in words(app) and len(guesses(app)) == 5
    assert not any(role.title in words(app) for role in rounds.ROLES.values())
    app = reveal(app)
    assert "Set up as" in words(app) and not app.exception


def test_while_the_five_go_on_they_can_be_guessed_and_stopped(lab):
    dataset = make_toy(lab.home)
    made = own_round(lab, dataset, state="running")
    app = open_page("diagnose", dataset=dataset.id)
    said = words(app)
    assert "0 of 5 are through" in said and " left" in said and "lab.check" not in [one.key for one in app.button]
    guesses(app)[0].set_value("too_low").run()
    assert guesses(app)[0].value == "too_low" and not any(role.title in words(app) for role in rounds.ROLES.values())
    app.button(key="lab.stop").click().run()
    assert not app.exception and all(runs.stop_requested(run) for run in made.values())


def test_five_that_wait_say_so_and_those_that_are_stopped_before_they_began_are_still_a_round(lab):
    dataset = make_toy(lab.home)
    own_round(lab, dataset, state="queued")
    app = open_page("diagnose", dataset=dataset.id)
    assert words(app).count("waits for its turn") == 5
    app.button(key="lab.stop").click().run()
    assert not app.exception and words(app).count("no exam") == 5
    assert "did not come to its end" in words(reveal(app))


def test_a_wrong_guess_is_told_beside_what_it_was(lab):
    app = open_page("diagnose")
    order = rounds.order_of("recorded")
    swapped = dict(zip(order, (order[1], order[0], *order[2:]), strict=True))
    for box, role in zip(guesses(app), order, strict=True):
        box.set_value(swapped[role])
    app.run()
    app.button(key="lab.check").click().run()
    said = words(app)
    assert "3 of 5 right" in said and said.count("you said") == 2
    assert f"✘ {rounds.ROLES[order[0]].title}" in said and f"✔ {rounds.ROLES[order[2]].title}" in said
    assert app.segmented_control(key="lab.closer.recorded").value == "A", "a missed one is looked at first"


def test_a_run_that_mends_one_of_the_five_stands_under_it(lab):
    dataset = make_toy(lab.home)
    made = own_round(lab, dataset)
    reveal(open_page("diagnose", dataset=dataset.id))
    mending = runs.create_run(
        lab.workspace,
        "train",
        {
            "dataset": dataset.id,
            "settings": to_record(TrainSettings()),
            "preset": "own",
            "repairs": {"run": made["too_low"].id, "kind": "lr_too_low"},
        },
    )
    assert "being mended" in words(open_page("diagnose", dataset=dataset.id))
    mending = runs.set_state(runs.set_state(mending, "starting"), "running")
    for event in events_of_training(dataset, 2, (6, 1)):
        runs.append_event(mending, event)
    runs.set_state(mending, "done")
    app = open_page("diagnose", dataset=dataset.id)
    assert "● mended: 1 of 12 wrong" in words(app) and not app.exception


def test_recorded_runs_can_be_guessed_beside_ones_own_and_there_is_a_way_back(lab):
    dataset = make_toy(lab.home)
    own_round(lab, dataset)
    app = open_page("diagnose", dataset=dataset.id)
    app.button(key="lab.again").click().run()
    assert "Recorded runs" in words(app) and app.query_params["round"] == "recorded" and len(guesses(app)) == 5
    app.button(key="lab.back").click().run()
    assert "Your own runs" in words(app) and "round" not in app.query_params


def test_an_explosion_is_judged_and_drawn_though_no_epoch_ended(lab):
    dataset = make_toy(lab.home)
    settings = TrainSettings(stages=(Stage(epochs=4, lr=10.0),))
    run = runs.create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings)})
    run = runs.set_state(runs.set_state(run, "starting"), "running")
    runs.append_event(run, Started(0, dataset.id, dataset.version, dataset.classes, 27, 12, 4, 0.66, "cpu", "float32"))
    runs.append_event(run, StageStarted(1, 0, 4, 8, True, True, (10.0,), "one_cycle", 9))
    runs.append_event(run, BatchDone(2, 0, 0, 0, 10.0, 0.9, 2304.0, 2304.0))
    runs.append_event(run, Diverged(3, 0, 0, 0, 2304.0, "It exploded."))
    runs.set_state(run, "diverged")
    for part in ({"name": "train", "run": run.id}, {"name": "diagnose", "part": "runs", "run": run.id}):
        app = open_page(part.pop("name"), **part)
        assert "In epoch 1 the loss had grown to 2,304." in words(app) and not app.exception, words(app)
        [figure] = [one for one in app.get("echarts_chart") if "markArea" in str(one.proto)]
        assert "The learning rate is too high" in str(figure.proto)


@pytest.mark.parametrize("part", ["lab", "runs", "data", "log", "nonsense"])
def test_every_part_opens_cold_with_and_without_data(lab, part):
    assert not open_page("diagnose", part=part).exception
    dataset = make_toy(lab.home)
    assert not open_page("diagnose", part=part, dataset=dataset.id).exception
    training_run(dataset)
    app = open_page("diagnose", part=part, dataset=dataset.id)
    assert not app.exception and not app.error


def test_your_runs_shows_the_card_of_the_chosen_one(lab):
    dataset = make_toy(lab.home)
    run = ruined(dataset, stages=(Stage(epochs=2, lr=0.5),))
    app = open_page("diagnose", part="runs", run=run.id)
    assert "The learning rate is too high" in words(app) and "Train at 3e-3" in labels(app)


@pytest.mark.parametrize("page", ["train", "runs"])
def test_the_same_card_stands_on_train_and_on_compare(lab, page):
    run = ruined(make_toy(lab.home), stages=(Stage(epochs=2, lr=0.5),))
    app = open_page(page, **({"run": run.id} if page == "train" else {"compare": run.id}))
    assert "The learning rate is too high" in words(app) and "Train at 3e-3" in labels(app)


def pressed(app):
    """The run that the fix of the card on the Train page starts."""
    before = {run.id for run in runs.list_runs(app.workspace, "train")}
    app.button(key="fix.train").click().run()
    assert not app.exception and not app.error
    [made] = [run for run in runs.list_runs(app.workspace, "train") if run.id not in before]
    return made


@pytest.fixture
def opened(lab):
    def open_run(run):
        app = open_page("train", run=run.id)
        app.workspace = lab.workspace
        return app

    return open_run


def test_a_fix_goes_back_to_before_the_stage_that_went_wrong(lab, opened):
    stages = (Stage(epochs=3, lr=3e-3), Stage(epochs=3, lr=0.1, freeze_to=0))
    run = ruined(make_toy(lab.home), stages=stages, saved=("stage-0.safetensors", "last.safetensors"))
    made = pressed(opened(run))
    assert made.request["start"] == {"run": run.id, "file": "stage-0.safetensors"}
    [stage] = made.request["settings"]["stages"]
    assert stage["lr"][1] == pytest.approx(3e-4) and stage["freeze_to"] == 0
    assert made.request["repairs"] == {"run": run.id, "kind": "lr_too_high"}


def test_a_fix_whose_checkpoint_is_gone_begins_afresh(lab, opened):
    stages = (Stage(epochs=3, lr=3e-3), Stage(epochs=3, lr=0.1, freeze_to=0))
    assert "start" not in pressed(opened(ruined(make_toy(lab.home), stages=stages))).request


def test_a_mended_run_says_what_it_was_before(lab):
    dataset = make_toy(lab.home)
    before = ruined(dataset, stages=(Stage(epochs=2, lr=0.5),))
    after = training_run(dataset)
    path = after.path / "run.json"
    path.write_text(
        path.read_text().replace('"preset": "quick"', f'"preset": "quick", "repairs": {{"run": "{before.id}"}}')
    )
    said = words(open_page("train", run=after.id))
    assert "Before: 8 of 12 wrong" in said and "Now: 3 of 12 wrong" in said


def test_an_experiment_that_was_done_is_found_again_with_its_sentences(lab):
    dataset = make_toy(lab.home)
    request = {
        "dataset": dataset.id,
        "experiment": "size",
        "settings": to_record(TrainSettings()),
        "version": "another",
    }
    run = runs.create_run(lab.workspace, "experiment", request)
    run = runs.set_state(runs.set_state(run, "starting"), "running")
    for value, wrong in ((0.1, 8), (0.25, 6), (0.5, 4), (1.0, 1)):
        for seed in range(3):
            runs.append_event(
                run,
                ExperimentPoint(
                    0, "training pictures", value, seed, wrong, 12, wrong / 12, 1.0, None, train=round(27 * value)
                ),
            )
    runs.set_state(run, "done")
    app = open_page("diagnose", part="data", dataset=dataset.id)
    assert not app.exception and "8 of 12" in words(app) and "has changed since" in words(app)
    assert "Do it again" in labels(app)


def test_an_experiment_is_started_on_the_data_set(lab):
    dataset = make_toy(lab.home)
    app = open_page("diagnose", part="data", dataset=dataset.id)
    app.button(key="experiment.start").click().run()
    [run] = runs.list_runs(lab.workspace, "experiment")
    assert run.request["experiment"] == "size" and run.request["dataset"] == dataset.id and not app.exception


def test_guards_warn_before_training_and_keep_quiet_about_a_set_that_is_only_small(lab):
    quiet = words(open_page("train", dataset=make_toy(lab.home, per_class=20).id))
    assert "A small exam" in quiet and 'class="see attention"' not in quiet
    loud = words(open_page("train", dataset=make_toy(lab.home, per_class=8, name="few").id))
    assert "A class with few pictures" in loud and "6 training pictures" in loud
