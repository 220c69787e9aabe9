"""The verdict: the lesson's own logs, simulated runs with a known cause, and an answer for every table."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.diagnose import SEVERITIES, Finding, diagnose
from core.diagnose.curve_checks import LADDER

LOGS = pd.read_csv(Path(__file__).parents[1] / "reference" / "lesson_logs.csv")
KINDS = {"lr_too_high", "lr_too_low", "too_few_epochs", "overfit", "healthy", "cant_tell"}
VERDICTS = {
    "good": "healthy",
    "too_high": "lr_too_high",
    "too_low": "lr_too_low",
    "too_few": "too_few_epochs",
    "too_many": "overfit",
    "dogs_cats_last_layer": "healthy",
    "dogs_cats_sgdr": "healthy",
}
RATES = {"too_high": 0.5, "too_low": 1e-5, "too_many": 1e-3}


def log_of(run: str) -> pd.DataFrame:
    columns = ["epoch", "train_loss", "valid_loss", "error_rate"]
    return LOGS.loc[LOGS["run"] == run, columns].reset_index(drop=True)


def table(train, valid, error=None, **more) -> pd.DataFrame:
    columns = {"train_loss": train, "valid_loss": valid, "error_rate": error, **more}
    return pd.DataFrame({name: values for name, values in columns.items() if values is not None})


def verdict(epochs, **known) -> str:
    return diagnose(epochs, **known)[0].kind


# ---------------------------------------------------------------- the lesson's logs


@pytest.mark.parametrize("known", ("nothing", "classes", "rates", "all"))
@pytest.mark.parametrize("run", VERDICTS)
def test_every_log_of_the_lesson_gets_the_verdict_it_was_shown_as(run, known):
    facts = {}
    if known in ("classes", "all"):
        facts["classes"] = 2 if run.startswith("dogs") else 3
    if known in ("rates", "all"):
        facts |= {"lr": RATES.get(run, 3e-3), "suggested_lr": 3e-3}
    if known == "all" and run.startswith("dogs"):
        facts["n_valid"] = 2000
    assert verdict(log_of(run), **facts) == VERDICTS[run]


def test_counts_are_read_off_the_error_rates():
    good = diagnose(log_of("good"))[0]
    assert "30 of 53 wrong at first, 18 of 53 wrong at the end" in good.evidence


def test_the_early_sign_says_that_the_error_rate_has_not_followed():
    found = diagnose(log_of("too_many"))[0]
    assert found.severity == "warning" and "has not followed yet" in found.why
    assert found.epochs == tuple(range(10, 40))  # validation loss is lowest in row 9


def test_the_rate_and_the_suggested_rate_are_in_the_card():
    found = diagnose(log_of("too_high"), lr=0.5, suggested_lr=3e-3)[0]
    assert "5e-1" in found.evidence and "3e-3" in found.evidence and "3e-3" in found.fix


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize(
    "epochs",
    (
        table([0.9, math.nan], [0.8, math.nan], [0.3, 0.7]),
        table([math.nan], [math.nan]),
        table([0.9, 2.0], [0.8, math.inf], [0.3, 0.7]),
        table([0.9, 12.2], [0.8, math.nan], [0.3, 0.7]),
        table(["0.9", "nan"], ["0.8", "nan"]),
        table([0.8, 0.3, 1.2, 1.3], [0.7, 0.3, 1.2, 1.2], [0.3, 0.1, 0.66, 0.65]),
        table([5.0, 80.0, 900.0], None),
    ),
)
def test_divergence_is_a_rate_too_high(epochs):
    found = diagnose(epochs)
    assert [finding.kind for finding in found] == ["lr_too_high"] and found[0].severity == "bad"


def test_a_run_that_broke_before_its_first_epoch_ended_is_told_by_its_batches():
    broken = pd.DataFrame({"loss": [1.2, 4.0, math.nan]})
    exploded = pd.DataFrame({"loss": [1.2] * 8 + [30.0, 50.0, 80.0, 90.0]})
    assert verdict(pd.DataFrame(), batches=broken) == "lr_too_high"
    assert verdict(pd.DataFrame(), batches=exploded, classes=3) == "lr_too_high"
    assert verdict(pd.DataFrame(), batches=pd.DataFrame({"loss": [1.2] * 12})) == "cant_tell"


def test_a_validation_loss_that_was_not_taken_is_no_divergence():
    epochs = table([0.9, 0.5, 0.4, 0.3], [0.8, 0.4, 0.35, math.nan], [0.3, 0.1, 0.1, math.nan])
    assert verdict(epochs, n_valid=100) != "lr_too_high"


def test_a_leaping_validation_loss_is_a_rate_too_high():
    epochs = table([1.5, 1.2, 1.4, 1.1, 1.3, 1.2], [0.9, 2.1, 0.8, 2.4, 1.0, 2.2], [0.4, 0.6, 0.4, 0.6, 0.5, 0.6])
    found = diagnose(epochs, classes=3)[0]
    assert found.kind == "lr_too_high" and "leaps" in found.evidence and found.epochs == (1, 2, 3, 4)


def test_knowing_nothing_at_ten_times_the_suggested_rate_is_a_rate_too_high():
    stuck = table([1.2, 1.15, 1.12], [1.12, 1.11, 1.10], [0.66, 0.66, 0.66])
    assert verdict(stuck, classes=3, lr=0.03, suggested_lr=3e-3) == "lr_too_high"
    assert verdict(stuck, classes=3, lr=1e-5, suggested_lr=3e-3) == "lr_too_low"


def test_a_high_rate_that_learns_well_is_no_fault():
    epochs = table([0.9, 0.4, 0.3, 0.25], [0.4, 0.25, 0.2, 0.195], [0.15, 0.1, 0.08, 0.08])
    assert verdict(epochs, classes=3, n_valid=100, lr=0.1, suggested_lr=3e-3) == "healthy"


def test_a_low_rate_that_arrived_is_no_fault():
    epochs = table([0.9, 0.4, 0.3, 0.25], [0.4, 0.25, 0.2, 0.195], [0.15, 0.1, 0.08, 0.08])
    assert verdict(epochs, classes=3, n_valid=100, lr=1e-5, suggested_lr=3e-3) == "healthy"


def test_creeping_at_the_suggested_rate_is_not_blamed_on_the_rate():
    assert verdict(log_of("too_low"), lr=3e-3, suggested_lr=3e-3) != "lr_too_low"


def test_a_loss_that_exploded_and_came_back_is_a_remark():
    epochs = table([2.0, 9.0, 0.6, 0.4, 0.35], [0.9, 60.0, 0.4, 0.31, 0.3], [0.4, 0.66, 0.15, 0.1, 0.1])
    kinds = [(finding.kind, finding.severity, finding.epochs) for finding in diagnose(epochs, classes=3, n_valid=100)]
    assert kinds[0][0] == "healthy" and kinds[1:] == [("lr_too_high", "note", (1,))]


# ---------------------------------------------------------------- epochs


def test_an_error_that_got_worse_by_more_than_noise_is_overfitting():
    train = [1.0, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05, 0.03]
    valid = [0.9, 0.6, 0.5, 0.5, 0.55, 0.6, 0.7, 0.8]
    error = [0.4, 0.25, 0.2, 0.2, 0.24, 0.28, 0.31, 0.32]
    found = diagnose(table(train, valid, error), classes=3, n_valid=400)[0]
    assert found.kind == "overfit" and found.severity == "bad" and "128 of 400 wrong at the end" in found.evidence
    assert "3 epochs" in found.fix


def test_two_more_wrong_pictures_are_luck():
    train = [1.0, 0.5, 0.3, 0.2, 0.15, 0.12, 0.1, 0.1]
    valid = [0.6, 0.3, 0.2, 0.16, 0.15, 0.155, 0.15, 0.152]
    error = [count / 141 for count in (20, 9, 4, 2, 2, 3, 4, 4)]
    assert verdict(table(train, valid, error), classes=3, n_valid=141) == "healthy"


@pytest.mark.parametrize(("late", "kind"), ((4, "healthy"), (9, "overfit")))
def test_worse_means_worse_by_more_than_two_standard_errors(late, kind):
    train = [1.0, 0.5, 0.3, 0.2, 0.15, 0.12, 0.1, 0.09, 0.08]
    valid = [0.6, 0.3, 0.2, 0.2, 0.2, 0.205, 0.21, 0.212, 0.214]  # 7 % above its lowest: no sign by itself
    error = [count / 141 for count in (20, 6, 2, 2, 2, 3, late, late, late)]
    assert verdict(table(train, valid, error), classes=3, n_valid=141) == kind


def test_a_worse_error_rate_at_the_lowest_validation_loss_is_no_overfitting():
    train = [1.0, 0.6, 0.4, 0.3, 0.25, 0.24, 0.23, 0.22, 0.21, 0.2]
    falling = [0.9, 0.6, 0.5, 0.45, 0.44, 0.435, 0.43, 0.425, 0.422, 0.42]
    error = [0.4, 0.2, 0.1, 0.1, 0.1, 0.12, 0.14, 0.17, 0.2, 0.2]
    rising = [*falling[:5], 0.45, 0.46, 0.465, 0.47, 0.47]
    assert verdict(table(train, falling, error), classes=3, n_valid=200) != "overfit"
    assert verdict(table(train, rising, error), classes=3, n_valid=200) == "overfit"


def test_a_jump_that_is_coming_down_again_is_no_climb():
    train = [1.0, 0.6, 0.5, 0.45, 0.4, 0.36, 0.33, 0.3]
    valid = [0.5, 0.3, 0.42, 0.40, 0.385, 0.37, 0.36, 0.352]
    assert verdict(table(train, valid, [0.1] * 8), classes=3, n_valid=100) != "overfit"


def test_training_loss_below_validation_loss_is_no_overfitting():
    t = np.arange(12)
    epochs = table(0.9 * np.exp(-t / 2) + 0.02, 0.7 * np.exp(-t / 1.5) + 0.2, 0.3 * np.exp(-t / 1.5) + 0.06)
    found = diagnose(epochs, classes=3, n_valid=100)[0]
    assert found.kind == "healthy" and "below" in found.why


def test_training_loss_above_validation_loss_is_healthy_and_explained():
    found = diagnose(log_of("good"))[0]
    assert found.kind == "healthy" and "normal" in found.why and "dropout" in found.why


def test_a_climb_with_a_climbing_training_loss_is_no_overfitting():
    epochs = table([0.5, 0.3, 0.35, 0.4, 0.45, 0.5], [0.5, 0.3, 0.33, 0.37, 0.4, 0.43], [0.2, 0.1, 0.1, 0.1, 0.1, 0.1])
    assert verdict(epochs, classes=3, n_valid=100) != "overfit"


def test_an_improvement_that_had_not_ended_is_too_few_epochs():
    epochs = table([1.3, 1.1, 0.9], [1.1, 0.9, 0.7], [0.6, 0.45, 0.3])
    found = diagnose(epochs, classes=3, n_valid=100)[0]
    assert found.kind == "too_few_epochs" and "6 epochs" in found.fix


@pytest.mark.parametrize(
    ("row", "kind"),
    (
        ((1.97, 2.01, 0.67), "too_few_epochs"),
        ((24.9, 1.2e9, 0.64), "lr_too_high"),
        ((0.60, 0.12, 0.05), "cant_tell"),
    ),
)
def test_one_epoch_gets_an_honest_answer(row, kind):
    found = diagnose(table(*([value] for value in row)), classes=3, n_valid=60)[0]
    assert found.kind == kind and found.epochs == (0,)


def test_the_batches_of_a_single_epoch_show_whether_it_was_still_learning():
    epochs = table([0.9], [0.6], [0.25])
    falling = pd.DataFrame({"loss": np.linspace(1.2, 0.4, 40)})
    level = pd.DataFrame({"loss": [0.5] * 40})
    assert verdict(epochs, classes=3, batches=falling) == "too_few_epochs"
    assert verdict(epochs, classes=3, batches=level) == "cant_tell"


@pytest.mark.parametrize("epochs", (pd.DataFrame(), None, [], table(["a"], ["b"]), pd.DataFrame({"x": [1, 2]}), 3))
def test_a_log_without_numbers_says_so(epochs):
    found = diagnose(epochs)
    assert [finding.kind for finding in found] == ["cant_tell"] and found[0].fix


def test_training_loss_alone_cannot_be_called_healthy():
    assert verdict(table([1.0, 0.5, 0.3, 0.2], None)) == "cant_tell"


# ---------------------------------------------------------------- tables of other tools


def test_columns_of_other_tools_mean_the_same():
    ours = diagnose(log_of("too_many"))
    theirs = log_of("too_many").rename(columns={"train_loss": "loss", "valid_loss": "Val_Loss "})
    theirs["val_accuracy"] = 1 - theirs.pop("error_rate")
    theirs["accuracy"] = 0.99
    assert [found.kind for found in diagnose(theirs)] == [found.kind for found in ours]


def test_counts_and_percentages_are_error_rates_too():
    columns = {"train_loss": [0.9, 0.5, 0.4], "valid_loss": [0.5, 0.3, 0.29]}
    for error in ({"wrong": [9, 4, 3], "of": [60, 60, 60]}, {"accuracy": [85.0, 93.333, 95.0], "of": [60] * 3}):
        assert "9 of 60 wrong at first, 3 of 60 wrong" in diagnose(pd.DataFrame({**columns, **error}))[0].evidence


def test_text_cells_and_gaps_are_passed_over():
    epochs = log_of("good").astype(object)
    epochs.loc[1, "train_loss"] = "—"
    epochs.loc[2, "error_rate"] = None
    assert verdict(epochs) == "healthy"


# ---------------------------------------------------------------- simulated runs with a known cause


def simulate_healthy(rng):
    epochs, pictures, classes = int(rng.integers(2, 41)), int(rng.choice([30, 60, 100, 200])), int(rng.choice([2, 3]))
    t, chance, noise = np.arange(epochs), math.log(classes), rng.uniform(0, 0.08)
    floor, tau = rng.uniform(0.05, 0.5) * chance, max(0.5, epochs / rng.uniform(4, 8))
    valid = floor + (chance - floor) * rng.uniform(0.3, 0.9) * np.exp(-t / tau)
    valid = valid * np.exp(noise * rng.standard_normal(epochs))
    train = floor * rng.uniform(0.4, 1.5) * (1 - 0.3 * t / epochs) + (chance - floor) * np.exp(-t / tau)
    error = rng.binomial(pictures, np.clip(0.6 * valid / chance * (1 - 1 / classes), 0.005, 0.9)) / pictures
    return table(train, valid, error), {"n_valid": pictures, "classes": classes}


def simulate_overfit(rng):
    epochs, pictures, classes = int(rng.integers(10, 61)), int(rng.choice([60, 100, 200])), int(rng.choice([2, 3]))
    t, chance, turn = np.arange(epochs), math.log(classes), int(rng.integers(2, epochs // 2))
    floor = rng.uniform(0.2, 0.6) * chance
    before = floor + 0.7 * (chance - floor) * np.exp(-3 * t / turn)
    after = floor + 0.035 * (chance - floor) + floor * rng.uniform(0.3, 1.5) * (t - turn) / (epochs - turn)
    valid = np.where(t <= turn, before, after) * np.exp(0.03 * rng.standard_normal(epochs))
    train = 0.9 * chance * np.exp(-t / (0.7 * turn + 1)) + 0.01
    error = rng.binomial(pictures, np.clip(0.5 * np.minimum(valid, chance) / chance, 0.01, 0.9)) / pictures
    return table(train, valid, error), {"n_valid": pictures, "classes": classes}


def simulate_too_low(rng):
    epochs, pictures, classes = int(rng.integers(3, 21)), int(rng.choice([60, 100, 200])), int(rng.choice([2, 3, 10]))
    fall = np.exp(-rng.uniform(0.002, 0.02) * np.arange(epochs))
    valid = math.log(classes) * rng.uniform(0.9, 1.15) * fall * np.exp(0.01 * rng.standard_normal(epochs))
    train = math.log(classes) * rng.uniform(1.0, 1.5) * fall * np.exp(0.01 * rng.standard_normal(epochs))
    error = rng.binomial(pictures, (1 - 1 / classes) * rng.uniform(0.8, 1) * fall) / pictures
    return table(train, valid, error), {"n_valid": pictures, "classes": classes}


def simulate_too_high(rng):
    epochs, pictures, classes = int(rng.integers(4, 21)), int(rng.choice([60, 100, 200])), int(rng.choice([2, 3, 10]))
    scatter = rng.uniform(0.3, 1.2) * rng.standard_normal(epochs)
    valid = math.log(classes) * np.exp(rng.uniform(0.5, 3) + scatter)
    train = math.log(classes) * np.exp(rng.uniform(0.3, 2) + 0.3 * rng.standard_normal(epochs))
    error = rng.binomial(pictures, (1 - 1 / classes) * rng.uniform(0.7, 1, epochs)) / pictures
    return table(train, valid, error), {"n_valid": pictures, "classes": classes}


def simulate_too_few(rng):
    epochs, pictures, classes = int(rng.integers(1, 5)), int(rng.choice([60, 100, 200])), int(rng.choice([2, 3, 10]))
    fall = np.exp(-rng.uniform(0.1, 0.3) * np.arange(epochs))
    valid = math.log(classes) * rng.uniform(0.9, 1.05) * fall
    error = rng.binomial(pictures, (1 - 1 / classes) * 0.9 * fall) / pictures
    return table(math.log(classes) * rng.uniform(1.0, 1.3) * fall, valid, error), {
        "n_valid": pictures,
        "classes": classes,
    }


def tally(simulate, *, runs: int, told: bool) -> Counter:
    counts: Counter = Counter()
    for seed in range(runs):
        epochs, known = simulate(np.random.default_rng(seed))
        counts[verdict(epochs, **(known if told else {}))] += 1
    return counts


@pytest.mark.parametrize("told", (True, False))
def test_noise_on_healthy_runs_is_hardly_ever_called_overfitting(told):
    counts = tally(simulate_healthy, runs=100, told=told)
    assert counts["overfit"] <= 2  # 2 %
    assert counts["healthy"] + counts["too_few_epochs"] >= 97


@pytest.mark.parametrize("told", (True, False))
@pytest.mark.parametrize(
    ("simulate", "kind"),
    (
        (simulate_overfit, "overfit"),
        (simulate_too_low, "lr_too_low"),
        (simulate_too_high, "lr_too_high"),
        (simulate_too_few, "too_few_epochs"),
    ),
)
def test_simulated_faults_are_named(simulate, kind, told):
    counts = tally(simulate, runs=40, told=told)
    assert counts[kind] >= 36, counts
    assert kind != "lr_too_high" or counts["healthy"] == 0


# ---------------------------------------------------------------- never an exception, always a whole card


def check(found: list[Finding], rows: int) -> None:
    assert found[0].kind in KINDS
    for finding in found:
        assert finding.kind in KINDS and finding.severity in SEVERITIES
        assert all((finding.title, finding.evidence, finding.why, finding.fix))
        assert finding.evidence.endswith(".") and "  " not in finding.evidence
        assert all(0 <= row < rows for row in finding.epochs)
        assert list(finding.epochs) == sorted(set(finding.epochs))


NUMBER = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 3)
CELL = NUMBER | st.none() | st.text(max_size=3) | st.booleans()
COLUMNS = ["train_loss", "valid_loss", "error_rate", "accuracy", "wrong", "of", "stage", "train_loss_eval", "loss"]
FACT = st.none() | NUMBER | st.integers(-3, 500) | st.text(max_size=2)


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(COLUMNS, CELL)), max_size=12),
    facts=st.fixed_dictionaries({}, optional=dict.fromkeys(["lr", "suggested_lr", "classes", "n_valid"], FACT)),
    batches=st.none() | st.lists(NUMBER, max_size=12),
)
def test_no_table_raises_and_every_card_is_whole(rows, facts, batches):
    steps = None if batches is None else pd.DataFrame({"loss": batches})
    check(diagnose(pd.DataFrame(rows), **facts, batches=steps), len(rows))


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5), st.floats(0, 1)), min_size=1, max_size=40))
def test_every_plausible_log_gets_a_whole_card(rows):
    check(diagnose(pd.DataFrame(rows, columns=["train_loss", "valid_loss", "error_rate"])), len(rows))


def test_a_thousand_epochs_are_read():
    t = np.arange(1000)
    epochs = table(np.exp(-t / 50) + 0.01, 0.5 * np.exp(-t / 50) + 0.2 + 2e-4 * t, 0.3 * np.exp(-t / 50) + 0.1)
    found = diagnose(epochs, classes=3, n_valid=100)
    assert found[0].kind == "overfit"
    check(found, 1000)


def test_the_table_is_left_as_it_was():
    epochs = log_of("good")
    before = epochs.copy()
    diagnose(epochs)
    pd.testing.assert_frame_equal(epochs, before)


@pytest.mark.parametrize("name", LADDER)
def test_every_check_says_what_it_looks_for(name):
    assert LADDER[name].__doc__
