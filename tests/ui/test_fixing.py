"""What a fix starts: the right settings from the right checkpoint, and an honest way on where that is gone."""

import pytest

from core.diagnose import Finding
from core.diagnose.of_run import Judgement, judge
from core.settings import Stage, TrainSettings, from_record, to_record
from core.train import runs
from core.train.events import History, RateFound
from core.train.runs import LAST, save_point
from core.ui.fixing import fix_of
from tests.conftest import make_toy
from tests.diagnose.test_of_run import GOOD, table

HEAD, WHOLE = Stage(epochs=4, lr=3e-3), Stage(epochs=12, lr=(1e-3, 1e-2), freeze_to=0)
SILENT = History.of([])


@pytest.fixture
def dataset(tmp_path):
    return make_toy(tmp_path)


def trained(dataset, *stages, files=(), state="done", **more):
    """A run that has ended and left these files."""
    request = {"dataset": dataset.id, "settings": to_record(TrainSettings(stages=stages)), **more}
    run = runs.create_run(dataset.workspace, "train", request)
    run = runs.set_state(runs.set_state(run, "starting"), "running")
    for name in files:
        (run.path / name).write_bytes(b"weights")
    return runs.set_state(run, state)


def judged(kind, *rows, stage=0, begins=0):
    return Judgement((Finding(kind, "bad", "t", "e", "w", "f", rows),), stage, begins)


def stages_of(fix):
    return from_record(fix.request["settings"]).stages


def test_a_rate_of_the_second_stage_is_mended_from_before_that_stage(dataset):
    run = trained(dataset, HEAD, WHOLE, files=(save_point(0), LAST))
    fix = fix_of(run, judged("lr_too_high", 4, 5, stage=1, begins=4), SILENT)
    assert fix.request["start"] == {"run": run.id, "file": save_point(0)} and not fix.afresh
    [stage] = stages_of(fix)
    assert stage.lr[1] < 1e-2 and stage.freeze_to == 0


def test_without_that_save_point_the_first_stage_is_done_again_and_the_card_says_so(dataset):
    fix = fix_of(trained(dataset, HEAD, WHOLE), judged("lr_too_high", 4, stage=1, begins=4), SILENT)
    assert fix.afresh and "start" not in fix.request and "fresh model" in fix.words
    first, second = stages_of(fix)
    assert first == HEAD and second.lr[1] < 1e-2


def test_more_epochs_go_on_from_the_last_weights_or_begin_again_for_all_of_them(dataset):
    finding = judged("too_few_epochs", 0)
    kept = trained(dataset, Stage(epochs=1), files=(LAST,))
    assert fix_of(kept, finding, SILENT).request["start"] == {"run": kept.id, "file": LAST}
    gone = fix_of(trained(dataset, Stage(epochs=1)), finding, SILENT)
    assert gone.afresh and gone.text == "Train for 5 epochs" and [stage.epochs for stage in stages_of(gone)] == [5]
    assert "Go on" not in gone.text + gone.words


@pytest.mark.parametrize("is_there", [True, False])
def test_a_run_that_went_on_from_another_one_begins_there_again(dataset, is_there):
    before = trained(dataset, HEAD, files=(LAST,) if is_there else ())
    start = {"run": before.id, "file": LAST}
    fix = fix_of(trained(dataset, WHOLE, start=start), judged("lr_too_high", 0), SILENT)
    assert fix.request.get("start") == (start if is_there else None) and fix.afresh is not is_there


def test_a_run_that_it_went_on_from_and_that_was_deleted_is_no_start(dataset):
    start = {"run": "a" * 26, "file": LAST}
    fix = fix_of(trained(dataset, WHOLE, start=start), judged("lr_too_high", 0), SILENT)
    assert fix.afresh and "start" not in fix.request


def test_epochs_of_a_second_stage_count_from_its_own_beginning(dataset):
    run = trained(dataset, HEAD, WHOLE, files=(save_point(0), LAST))
    fix = fix_of(run, judged("overfit", 9, 10, stage=1, begins=4), SILENT)
    assert [stage.epochs for stage in stages_of(fix)] == [5], "it got better for 5 epochs of its own, not for 9"


def test_rows_of_a_judgement_count_from_the_stage_too():
    climbing = [(0.5 / (n + 1), 0.3 + 0.05 * n, 0.1 + 0.02 * n) for n in range(10)]
    settings = TrainSettings(stages=(HEAD, Stage(epochs=10, lr=1e-3, freeze_to=0)))
    found = judge(table(GOOD, climbing), settings, classes=3, n_valid=200)
    assert (found.verdict.kind, found.begins) == ("overfit", 4)
    assert found.in_stage.epochs == tuple(row - 4 for row in found.verdict.epochs) and found.in_stage.epochs[0] >= 0


def test_a_rate_that_the_run_found_itself_is_the_one_that_is_mended(dataset):
    run = trained(dataset, Stage(lr=3e-3, find_lr=True), files=(LAST,))
    said = History.of([RateFound(0, 0, None, 2.0, "Because.", (1.0, 2.0), (1.0, 1.0), (1.0, 1.0))])
    [stage] = stages_of(fix_of(run, judged("lr_too_high", 0), said))
    assert stage.lr < 2.0 and not stage.find_lr


@pytest.mark.parametrize("state", ["stopped", "failed", "interrupted"])
def test_a_run_that_did_not_end_by_itself_has_no_fix(dataset, state):
    assert fix_of(trained(dataset, HEAD, state=state), judged("lr_too_high", 0), SILENT) is None


def test_what_is_healthy_or_not_clear_has_no_fix(dataset):
    run = trained(dataset, HEAD)
    assert fix_of(run, judged("healthy"), SILENT) is None and fix_of(run, judged("cant_tell"), SILENT) is None


def test_a_run_whose_pictures_are_gone_has_no_fix(dataset):
    run = trained(dataset, HEAD)
    (dataset.path / "dataset.json").unlink()
    dataset.path.rename(dataset.path.with_name("gone"))
    assert fix_of(run, judged("lr_too_high", 0), SILENT) is None
