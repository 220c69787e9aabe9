"""Checkpoints to go on from: all of one's own, with what they had reached, and nobody else's."""

import pytest

from core.errors import NotFound
from core.settings import to_record
from core.train import runs
from core.train.events import Diverged, EpochDone, Saved, Started
from core.train.recipes import preset
from core.train.starts import find_start, of_run, starts_of
from core.workspace import Workspace, new_id
from tests.conftest import make_toy

COURSE = [(0, 0, 9, 0.9), (0, 1, 7, 0.5), (1, 0, 5, 0.4), (1, 1, 6, 0.6)]


def trained(dataset, *, files, course=COURSE, state="done", unwritten=()):
    """A run of the standard recipe that has got so far: (stage, epoch, wrong of 12, validation loss).

    The weights of the epochs `unwritten` did not reach the disk.
    """
    settings = preset("standard", epochs=2)
    request = {"dataset": dataset.id, "settings": to_record(settings), "preset": "standard"}
    run = runs.set_state(runs.set_state(runs.create_run(dataset.workspace, "train", request), "starting"), "running")
    runs.append_event(run, Started(0, dataset.id, "v", dataset.classes, 27, 12, 4, 0.6, "cpu", "float32"))
    for stage, epoch, wrong, loss in course:
        error = wrong / 12
        runs.append_event(run, EpochDone(1, stage, epoch, 1, 1, 1, loss, error, 1 - error, wrong, 12, 1e-3, 1.0, 9.0))
        if (stage, epoch) not in unwritten:
            runs.append_event(run, Saved(2, stage, epoch, "last.safetensors", best=False))
    for file in files:
        (run.path / file).write_bytes(b"weights")
    if state == "running_out":
        return runs.set_state(run, "failed", code="oom", message="There was not enough memory for this.")
    if state == "exploded":
        runs.append_event(run, Diverged(2, 1, 1, 5, float("nan"), "The loss is not a number any more."))
        return runs.set_state(run, "diverged")
    return run if state == "running" else runs.set_state(run, state)


ALL = ("stage-0.safetensors", "stage-1.safetensors", "last.safetensors", "best.safetensors")


def test_a_finished_run_offers_each_stage_and_its_best_epoch_once(tmp_path):
    dataset = make_toy(tmp_path)
    run = trained(dataset, files=ALL)
    assert [(start.file, start.title) for start in of_run(run)] == [
        ("stage-0.safetensors", "After stage 1, before unfreezing: 7 of 12 wrong"),
        ("stage-1.safetensors", "After stage 2: 6 of 12 wrong"),
        ("best.safetensors", "Its best epoch, 1 of stage 2: 5 of 12 wrong"),
    ]
    assert of_run(run)[0].backbone == "lite0" and of_run(run)[0].classes == dataset.classes


def test_a_run_that_was_stopped_offers_its_last_epoch(tmp_path):
    run = trained(
        make_toy(tmp_path), files=("stage-0.safetensors", "last.safetensors"), course=COURSE[:3], state="stopped"
    )
    assert [start.file for start in of_run(run)] == ["stage-0.safetensors", "last.safetensors"]


EARLY = ("stage-0.safetensors", "last.safetensors", "best.safetensors")


def test_an_epoch_that_exploded_is_not_taken_for_what_its_run_kept(tmp_path):
    course = [*COURSE[:2], (1, 0, 12, 5000.0)]
    run = trained(make_toy(tmp_path), files=EARLY, course=course, state="exploded", unwritten=[(1, 0)])
    assert [start.title for start in of_run(run)] == ["After stage 1, before unfreezing: 7 of 12 wrong"]


def test_an_epoch_whose_weights_were_not_written_is_not_promised(tmp_path):
    run = trained(make_toy(tmp_path), files=EARLY, state="interrupted", unwritten=[(1, 1)])
    assert [start.title for start in of_run(run)][1:] == ["Its last epoch, 1 of stage 2: 5 of 12 wrong"]


def test_an_epoch_that_was_done_again_is_offered_once(tmp_path):
    course = [*COURSE[:3], COURSE[2]]
    run = trained(make_toy(tmp_path), files=EARLY, course=course, state="stopped")
    assert [start.file for start in of_run(run)] == ["stage-0.safetensors", "last.safetensors"]


def test_a_stage_whose_weights_came_before_its_epoch_was_told_waits(tmp_path):
    run = trained(make_toy(tmp_path), files=ALL, course=COURSE[:2], state="running")
    assert [start.file for start in of_run(run)] == ["stage-0.safetensors"]


def test_the_newest_run_comes_first_and_other_data_sets_do_not(tmp_path):
    dataset, other = make_toy(tmp_path), make_toy(tmp_path, name="other")
    first, second = trained(dataset, files=ALL), trained(dataset, files=ALL)
    trained(other, files=ALL)
    assert [start.run for start in starts_of(dataset.workspace, dataset.id)] == [second.id] * 3 + [first.id] * 3


def test_a_run_without_weights_or_epochs_offers_nothing(tmp_path):
    dataset = make_toy(tmp_path)
    assert of_run(trained(dataset, files=())) == []
    assert of_run(trained(dataset, files=ALL, course=[])) == []


def test_a_start_is_found_by_its_address(tmp_path):
    run = trained(make_toy(tmp_path), files=ALL)
    start = find_start(run.workspace, f"{run.id}:stage-0.safetensors")
    assert (start.wrong, start.of, start.stage) == (7, 12, 0) and start.address == f"{run.id}:stage-0.safetensors"


@pytest.mark.parametrize("file", ["stage-7.safetensors", "../run.json", "items.csv", "", "last.safetensors/../x"])
def test_what_is_no_checkpoint_is_not_found(tmp_path, file):
    run = trained(make_toy(tmp_path), files=ALL)
    with pytest.raises(NotFound):
        find_start(run.workspace, f"{run.id}:{file}")


def test_a_checkpoint_of_somebody_else_is_not_found(tmp_path):
    run = trained(make_toy(tmp_path), files=ALL)
    with pytest.raises(NotFound):
        find_start(Workspace(tmp_path, new_id()), f"{run.id}:stage-0.safetensors")


def test_the_last_weights_of_a_finished_run_are_found_under_the_name_of_its_last_stage(tmp_path):
    run = trained(make_toy(tmp_path), files=ALL)
    found = find_start(run.workspace, f"{run.id}:last.safetensors")
    assert found.file == "stage-1.safetensors" and found == of_run(run)[1]
    stopped = trained(make_toy(tmp_path, name="b"), files=ALL[::2], course=COURSE[:3], state="stopped")
    assert find_start(stopped.workspace, f"{stopped.id}:last.safetensors").file == "last.safetensors"
