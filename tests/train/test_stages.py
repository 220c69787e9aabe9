"""What a stage can ask for: every option trains, repeats itself, resumes to the bit, and does what it says."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from core.errors import TrainError
from core.settings import Stage, TrainSettings
from core.train import learner
from core.train.events import History
from core.train.learner import fit
from core.train.measuring import measure
from core.train.recipes import RECIPES, preset
from core.train.sampling import class_weights, epoch_size, rows_of_epoch, share_of
from core.train.source import Mixed
from core.train.steps import batch_loss, begin, enter, plan_epoch
from core.vision.model import build_model, freeze_to, moved, set_training
from tests.conftest import make_toy
from tests.train.test_learner import numbers

TINY = TrainSettings(image_size=32, batch_size=8)
OPTIONS = {
    "late layers": Stage(epochs=2, lr=(1e-4, 1e-3), freeze_to=1),
    "mixup": Stage(epochs=2, mixup=0.4),
    "mixup of all layers": Stage(epochs=2, lr=1e-4, freeze_to=0, mixup=0.4, augment="photos"),
    "label smoothing": Stage(epochs=2, label_smoothing=0.1),
    "class weights": Stage(epochs=2, balance="weights"),
    "oversampling": Stage(epochs=2, balance="oversample"),
    "another size": Stage(epochs=2, image_size=64),
    "another batch": Stage(epochs=2, batch_size=4),
    "another precision": Stage(epochs=2, precision="float32"),
    "no decay and no dropout": Stage(epochs=2, weight_decay=0.0, dropout=0.0),
    "restarts": Stage(epochs=3, schedule="sgdr", options={"cycle_len": 1, "cycle_mult": 2}),
    "a rate that is found": Stage(epochs=2, lr=(None, 1e-3), freeze_to=0, find_lr=True),
    "a rate that is found for the head": Stage(epochs=2, find_lr=True),
}


def learned(events):
    """Batches and epochs, without what a clock decides."""
    return [record for record in numbers(events) if record["kind"] in ("batch", "epoch")]


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONS)
def test_a_stage_with_this_option_trains_and_resumes_as_if_nothing_had_happened(toy, name):
    settings = replace(TINY, stages=(Stage(epochs=1), OPTIONS[name]))
    saved = []
    whole = list(fit(toy, settings, save=lambda checkpoint, best: saved.append(checkpoint) or "x"))
    assert whole[-1].state == "done"
    rest = list(fit(toy, settings, resume=saved[1]))  # after the stage's first epoch
    assert learned(rest) == learned(whole)[-len(learned(rest)) :] != []
    assert rest[-1].wrong == whole[-1].wrong


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RECIPES if name != "mistakes"])
def test_every_recipe_trains(toy, name):
    settings = preset(name, replace(TINY, seed=1), epochs=1)
    stages = tuple(replace(stage, image_size=32 if stage.image_size else None) for stage in settings.stages)
    events = list(fit(toy, replace(settings, stages=stages, image_size=32)))
    assert events[-1].state in ("done", "diverged") and len(History.of(events).epochs) >= 1


def test_options_change_what_is_learned(toy):
    usual = learned(fit(toy, replace(TINY, stages=(Stage(epochs=1),))))
    for name in ("mixup", "label smoothing", "another size", "another batch", "no decay and no dropout"):
        other = learned(fit(toy, replace(TINY, stages=(replace(OPTIONS[name], epochs=1),))))
        assert other != usual, name


def test_early_layers_stay_as_they_are_when_only_late_ones_learn(toy):
    saved = []
    list(fit(toy, replace(TINY, stages=(OPTIONS["late layers"],)), save=lambda c, best: saved.append(c) or "x"))
    fresh = build_model("lite0", toy.classes, seed=42)
    early = {f"body.{name}" for name in ("conv_stem.weight", "bn1.running_mean", "blocks.2.0.bn1.running_var")}
    for name, value in fresh.state_dict().items():
        if name in early:
            assert torch.equal(saved[-1].tensors[name], value), name
    assert not torch.equal(saved[-1].tensors["body.conv_head.weight"], fresh.state_dict()["body.conv_head.weight"])


@pytest.mark.parametrize(
    ("first", "learning"), [(0, (True, True, True)), (1, (False, True, True)), (-1, (False, False, True))]
)
def test_groups_that_are_frozen_stay_in_evaluation_mode(first, learning):
    model = build_model("resnet18", ("a", "b"), seed=0, pretrained=False)
    freeze_to(model, first)
    set_training(model, True)
    for modules, learns in zip(model.groups(), learning, strict=True):
        assert all(module.training is learns for module in modules)


def test_how_far_blocks_moved_is_a_share_of_their_length():
    model = build_model("lite0", ("a", "b"), seed=0, pretrained=False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        for parameter in model.body.blocks[2].parameters():
            parameter.mul_(1.5)
    shares = moved(model, before)
    assert list(shares) == ["stem", *(f"blocks.{n}" for n in range(7)), "top", "head"]
    assert shares["blocks.2"] == pytest.approx(0.5) and shares["blocks.1"] == shares["head"] == 0


def test_a_stage_says_how_far_each_block_moved(toy):
    events = list(fit(toy, replace(TINY, stages=(Stage(epochs=1), Stage(epochs=1, lr=1e-3, freeze_to=1)))))
    first, second = History.of(events).all("moved")
    frozen, free = dict(zip(first.names, first.moved, strict=True)), dict(zip(second.names, second.moved, strict=True))
    assert frozen["head"] > 0 and all(share == 0 for name, share in frozen.items() if name != "head")
    assert free["stem"] == free["blocks.3"] == 0 < free["blocks.4"]


def test_eight_fixed_pictures_of_all_classes_are_watched(toy):
    seen = History.of(fit(toy, replace(TINY, stages=(Stage(epochs=2),)))).all("glimpse")
    assert [glimpse.epoch for glimpse in seen] == [-1, 0, 1]
    assert len({glimpse.files for glimpse in seen}) == 1 and len(seen[0].files) == 8
    counts = pd.Series(seen[0].labels).value_counts()
    assert set(counts.index) == set(toy.classes) and counts.max() - counts.min() <= 1
    assert all(0 < share <= 1 for share in seen[-1].probs) and seen[0].probs != seen[-1].probs


def test_memory_is_told_after_every_epoch(toy):
    used = History.of(fit(toy, replace(TINY, stages=(Stage(epochs=2),)))).all("memory")
    assert len(used) == 2 and all(100 < event.used_mb < event.of_mb for event in used)


# --- keeping the best, and stopping early


def worse_and_worse(monkeypatch, losses):
    """Have the validation losses of a run be these."""
    course = iter(losses)
    monkeypatch.setattr(learner, "measure", lambda *given: {**measure(*given), "valid_loss": next(course)})


def test_keeping_the_best_ends_a_stage_with_the_weights_of_its_best_epoch(toy, monkeypatch):
    saved = []
    worse_and_worse(monkeypatch, [0.9, 0.5, 0.7, 0.8])
    settings = replace(TINY, stages=(Stage(epochs=4),), keep_best=True)
    events = list(fit(toy, settings, save=lambda c, best: saved.append(c) or "x"))
    assert torch.equal(saved[-1].tensors["head.2.weight"], saved[1].tensors["head.2.weight"])
    assert not torch.equal(saved[2].tensors["head.2.weight"], saved[1].tensors["head.2.weight"])
    [note] = [event for event in events if event.kind == "note" and event.code == "kept_best"]
    assert "its epoch 2" in note.text and "0.5000" in note.text
    assert saved[-1].meta["progress"]["last"]["epoch"] == 1


def test_the_best_is_kept_across_an_interruption(toy, monkeypatch):
    settings = replace(TINY, stages=(Stage(epochs=4),), keep_best=True)
    saved, again = [], []
    worse_and_worse(monkeypatch, [0.9, 0.5, 0.7, 0.8])
    list(fit(toy, settings, save=lambda c, best: saved.append(c) or "x"))
    worse_and_worse(monkeypatch, [0.8])
    list(fit(toy, settings, resume=saved[2], save=lambda c, best: again.append(c) or "x"))
    assert torch.equal(again[-1].tensors["head.2.weight"], saved[1].tensors["head.2.weight"])


def test_a_stage_ends_early_when_nothing_gets_better_and_the_next_one_follows(toy, monkeypatch):
    worse_and_worse(monkeypatch, [0.9, 0.5, 0.7, 0.8, 0.4, 0.3])
    settings = replace(TINY, stages=(Stage(epochs=10), Stage(epochs=2)), patience=2)
    saved = []
    history = History.of(fit(toy, settings, save=lambda c, best: saved.append(c) or "x"))
    assert list(history.epochs["stage"]) == [0, 0, 0, 0, 1, 1]
    assert "ended after epoch 4 of 10" in " ".join(history.notes())
    worse_and_worse(monkeypatch, [0.4, 0.3])
    rest = History.of(fit(toy, settings, resume=saved[3])).epochs  # killed just after the early end
    assert list(rest["stage"]) == [1, 1]


def test_neither_is_on_unless_asked_for():
    assert TrainSettings().keep_best is False and TrainSettings().patience == 0


# --- which pictures


def unequal(tmp_path):
    dataset = make_toy(tmp_path, per_class=12)
    items = dataset.kept()
    few = items[(items["label"] == "r") & (items["split"] == "train")].index[:7]
    return dataset, items.drop(few).reset_index(drop=True)


def test_oversampling_shows_every_class_as_often_as_the_largest(tmp_path):
    dataset, items = unequal(tmp_path)
    stage = TINY.resolve(Stage(balance="oversample"))
    source = begin(dataset, replace(TINY, stages=(stage,)), items=items).source
    rows = rows_of_epoch(source, stage, torch.Generator().manual_seed(0))
    assert torch.bincount(source.train.labels[rows]).tolist() == [9, 9, 9]
    assert len(rows) == epoch_size(source, stage) == 27 and len(rows.unique()) == 20


def test_class_weights_make_every_class_count_the_same():
    labels = torch.tensor([0] * 6 + [1] * 3 + [2])
    weights = class_weights(labels)
    assert weights.tolist() == pytest.approx([10 / 18, 10 / 9, 10 / 3])
    assert (weights * torch.bincount(labels)).tolist() == pytest.approx([10 / 3] * 3)


def test_a_share_of_the_pictures_is_the_same_for_a_seed_and_leaves_the_exam_alone(toy):
    items = toy.kept()
    some = share_of(items, 0.5, seed=3)
    assert (some["split"] == "valid").sum() == (items["split"] == "valid").sum()
    assert some.loc[some["split"] == "train", "label"].value_counts().to_dict() == {"r": 4, "g": 4, "b": 4}
    assert some.equals(share_of(items, 0.5, seed=3)) and not some.equals(share_of(items, 0.5, seed=4))
    assert share_of(items, 1.0, seed=3) is items
    assert len(share_of(items, 0.01, seed=3)) == 9 + 3


def test_mixup_lays_each_picture_over_its_partner_and_mixes_the_losses_alike():
    mixed = Mixed(0.25, torch.tensor([1, 0]))
    images = torch.stack([torch.zeros(3, 2, 2), torch.full((3, 2, 2), 255.0)]).to(torch.uint8)
    assert mixed.pictures(images)[:, 0, 0, 0].tolist() == pytest.approx([0.75, 0.25])
    loss = mixed.losses(lambda labels: labels.float().mean() * 4, torch.tensor([0, 1]))
    assert float(loss) == pytest.approx(0.25 * 2 + 0.75 * 2)


# --- going on from another run's checkpoint


@pytest.fixture(scope="module")
def frozen_run(toy):
    saved = []
    list(fit(toy, replace(TINY, stages=(Stage(epochs=1),)), save=lambda c, best: saved.append(c) or "x"))
    return saved[-1]


def test_a_run_goes_on_with_the_weights_of_another(toy, frozen_run):
    saved = []
    settings = replace(TINY, stages=(Stage(epochs=1, lr=1e-12),), seed=9)
    list(fit(toy, settings, start=frozen_run, save=lambda c, best: saved.append(c) or "x"))
    assert torch.allclose(saved[-1].tensors["head.2.weight"], frozen_run.tensors["head.2.weight"], atol=1e-6)
    assert saved[-1].meta["body"] == "pretrained"


def test_another_network_or_other_classes_are_refused_in_words(toy, tmp_path, frozen_run):
    with pytest.raises(TrainError, match="is a EfficientNet-Lite0, and the run was to train resnet18"):
        list(fit(toy, replace(TINY, backbone="resnet18", weights="random"), start=frozen_run))
    two = make_toy(tmp_path, classes=2)
    with pytest.raises(TrainError, match="knows the classes b, g, r; the data set has g, r"):
        list(fit(two, TINY, start=frozen_run))


# --- when memory runs out


def hungry(monkeypatch, most):
    """Have batches of more than `most` pictures not fit."""

    def hungry_loss(given, stage, rows, changes):
        if len(rows) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return batch_loss(given, stage, rows, changes)

    monkeypatch.setattr(learner, "batch_loss", hungry_loss)


def test_a_stage_without_room_begins_again_with_half_the_batch_and_a_note(toy, monkeypatch):
    hungry(monkeypatch, 5)
    history = History.of(fit(toy, replace(TINY, stages=(Stage(epochs=2),))))
    assert history.last("finished").state == "done"
    assert [event.batch for event in history.all("stage")] == [8, 4]
    assert any("batches of 4 pictures" in text for text in history.notes())


def test_after_running_out_it_is_as_if_the_stage_had_begun_with_the_small_batch(toy, monkeypatch):
    def of(batch):
        stage = Stage(epochs=2, batch_size=batch, freeze_to=1)
        events = fit(toy, replace(TINY, stages=(Stage(epochs=1), stage)))
        return History.of(events).epochs.drop(columns=["seconds", "images_per_s"])

    small, steps = of(4), []

    def third_step(given, stage, rows, changes):
        steps.append(stage.batch_size)
        if len(steps) == 4 + 3:  # the first stage takes four
            raise MemoryError
        return batch_loss(given, stage, rows, changes)

    monkeypatch.setattr(learner, "batch_loss", third_step)
    assert of(8).equals(small) and steps.count(4) > 0


def test_a_second_time_without_room_is_the_end(toy, monkeypatch):
    hungry(monkeypatch, 2)
    with pytest.raises(torch.OutOfMemoryError):
        list(fit(toy, replace(TINY, stages=(Stage(epochs=2),))))


# --- the set of mistakes


def with_mistakes(tmp_path, count=2):
    from core.data.mistakes import add_mistake, read_mistakes

    dataset, other = make_toy(tmp_path / "a"), make_toy(tmp_path / "b", seed=5)
    for row in other.kept().head(count).itertuples():
        picture = other.image_path(row.file).read_bytes()
        add_mistake(dataset, picture, label=row.label, said="g", probability=0.9, run="a" * 26)
    return dataset, read_mistakes(dataset)


def test_a_stage_of_mistakes_sees_each_of_them_in_every_epoch_among_others_drawn_anew(tmp_path):
    dataset, mistakes = with_mistakes(tmp_path)
    stage = TINY.resolve(Stage(data="mistakes"))
    begun = begin(dataset, replace(TINY, stages=(stage,)), mistakes=mistakes)
    enter(begun, stage)
    seen = [set(torch.cat(plan_epoch(begun, 0, epoch, stage).batches).tolist()) for epoch in range(2)]
    assert all({0, 1} <= rows and len(rows) == 2 + 16 for rows in seen) and seen[0] != seen[1]


@pytest.mark.parametrize("freeze_to", [-1, 0])
def test_mistakes_are_learned_and_a_stage_of_them_resumes(tmp_path, freeze_to):
    dataset, mistakes = with_mistakes(tmp_path)
    stage = Stage(epochs=2, data="mistakes", freeze_to=freeze_to, augment="photos" if freeze_to == 0 else "none")
    settings = replace(TINY, stages=(Stage(epochs=1), stage))
    saved = []
    whole = list(fit(dataset, settings, mistakes=mistakes, save=lambda c, best: saved.append(c) or "x"))
    rest = list(fit(dataset, settings, mistakes=mistakes, resume=saved[1]))
    assert whole[-1].state == "done" and learned(rest) == learned(whole)[-len(learned(rest)) :]
    assert whole[0].train == 27


def test_without_mistakes_such_a_stage_is_refused_in_words(toy):
    with pytest.raises(TrainError, match="this data set has none that can be used"):
        list(fit(toy, replace(TINY, stages=(Stage(data="mistakes"),))))


def test_a_mistake_that_was_removed_since_or_has_a_lost_class_is_left_out(tmp_path):
    from core.data.mistakes import remove_mistake

    dataset, mistakes = with_mistakes(tmp_path, count=3)
    remove_mistake(dataset, mistakes["file"].iloc[0])
    mistakes.loc[1, "label"] = "no class any more"
    stage = TINY.resolve(Stage(data="mistakes"))
    assert begin(dataset, replace(TINY, stages=(stage,)), mistakes=mistakes).source.mistakes == 1
    with pytest.raises(TrainError, match="none that can be used"):
        begin(dataset, replace(TINY, stages=(stage,)), mistakes=mistakes.head(2))
