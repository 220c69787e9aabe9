"""The verdict on runs of several stages: the stage that matters, and rows of the whole table."""

import pandas as pd

from core.diagnose.of_run import judge
from core.settings import Stage, TrainSettings

GOOD = [(1.5, 0.9, 0.4), (0.8, 0.5, 0.2), (0.5, 0.3, 0.1), (0.4, 0.29, 0.08)]
RUINED = [(3.0, 80.0, 0.67), (6.0, 120.0, 0.67), (5.0, 90.0, 0.67)]
CREEPING = [(1.60, 1.30, 0.6), (1.58, 1.29, 0.6), (1.57, 1.28, 0.6), (1.57, 1.28, 0.6)]


def table(*stages):
    rows = [(number, epoch, *row) for number, rows in enumerate(stages) for epoch, row in enumerate(rows)]
    return pd.DataFrame(rows, columns=["stage", "epoch", "train_loss", "valid_loss", "error_rate"])


def run_of(*stages, batch=64):
    return TrainSettings(stages=tuple(Stage(epochs=epochs, lr=lr, freeze_to=to) for epochs, lr, to in stages))


def test_a_run_of_one_stage_is_judged_as_a_whole():
    found = judge(table(GOOD), run_of((4, 3e-3, -1)), classes=3, n_valid=60)
    assert (found.verdict.kind, found.stage, found.verdict.epochs) == ("healthy", 0, (0, 1, 2, 3))
    assert "stage" not in found.verdict.evidence


def test_the_last_stage_decides_and_its_rows_are_those_of_the_whole_table():
    found = judge(table(GOOD, RUINED), run_of((4, 3e-3, -1), (3, 1e-1, 0)), classes=3, n_valid=60)
    assert (found.verdict.kind, found.stage) == ("lr_too_high", 1)
    assert set(found.verdict.epochs) == {4, 5, 6}
    assert found.verdict.evidence.startswith("In stage 2: "), "epochs in a sentence count from there"


def test_a_good_end_is_not_spoiled_by_what_an_earlier_stage_did():
    found = judge(table(CREEPING, GOOD), run_of((4, 1e-5, -1), (4, 3e-4, 0)), classes=3, n_valid=60)
    assert found.verdict.kind == "healthy" and found.verdict.epochs == (4, 5, 6, 7)


def test_short_stages_of_the_same_layers_are_judged_together():
    stages = [[row] for row in GOOD]
    found = judge(table(*stages), run_of(*[(1, 3e-3, -1)] * 4), classes=3, n_valid=60)
    assert (found.verdict.kind, found.stage, len(found.verdict.epochs)) == ("healthy", 3, 3)  # three are a curve
    apart = judge(table(GOOD, GOOD[:1]), run_of((4, 3e-3, -1), (1, 1e-4, 0)), classes=3, n_valid=60)
    assert all(row == 4 for row in apart.verdict.epochs)


def test_an_explosion_in_the_first_epoch_leaves_no_row_and_is_judged_all_the_same():
    found = judge(table(), run_of((4, 10.0, -1)), classes=3, n_valid=60, diverged_in=0)
    assert (found.verdict.kind, found.stage, found.verdict.epochs) == ("lr_too_high", 0, ())
    later = judge(table(GOOD), run_of((4, 3e-3, -1), (2, 10.0, 0)), classes=3, n_valid=60, diverged_in=1)
    assert (later.verdict.kind, later.stage) == ("lr_too_high", 1)


def test_the_finders_rate_is_that_of_the_stage():
    known = {0: 3e-3}
    seen = judge(table(CREEPING), run_of((4, 1e-5, -1)), classes=3, n_valid=60, suggested_lr=known)
    assert seen.verdict.kind == "lr_too_low" and "3e-3" in seen.verdict.evidence + seen.verdict.fix


def test_a_loss_that_ended_a_run_is_told_as_the_number_it_was():
    early = judge(table(), run_of((4, 10.0, -1)), diverged_in=0, diverged_loss=2304.4).verdict
    assert early.kind == "lr_too_high" and early.evidence.startswith("In epoch 1 the loss had grown to 2,304.")
    later = judge(table(GOOD[:2]), run_of((4, 10.0, -1)), classes=3, n_valid=60, diverged_in=0, diverged_loss=1e30)
    assert "In epoch 3 the loss had grown to more than a billion." in later.verdict.evidence
    broken = judge(table(), run_of((4, 10.0, -1)), diverged_in=0, diverged_loss=float("inf")).verdict
    assert "stopped being a number" in broken.evidence


def test_an_explosion_that_shows_in_the_last_epoch_is_told_by_its_own_numbers():
    found = judge(table([*GOOD[:1], (9.0, 4e3, 0.67)]), run_of((4, 10.0, -1)), diverged_in=0, diverged_loss=4e3)
    assert found.verdict.kind == "lr_too_high" and "grown to" not in found.verdict.evidence
