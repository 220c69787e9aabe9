"""Descents as the browser gets them: a set-up in, the whole path and what to say about it out, once and for all.

Numbers go with six digits; the contours and the batches' own bowls follow from the points, in the browser.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.plots.style import counted, number, rate, share
from core.sgd.setup import Pair, Setup
from core.sgd.verdict import Verdict, judge, limit_of
from core.text import read
from core.train.lr_finder import STOP_FACTOR, lr_ladder, smooth, suggest
from core.train.schedules import rate_at

Data = dict[str, Any]
TONES = ("too_low", "good", "too_high")
DIGITS = 6
BELOW, ABOVE = 1e-3, 10.0  # times the limit: the ladder of the range test
TIMED = 20  # steps of real descent tell what one takes
DROP = 1e-4  # the loss axis goes down to this share of the loss at the start
_RULE_OF = {"momentum": "sgd"}


def points_of(setup: Setup) -> tuple[np.ndarray, np.ndarray]:
    """Points x (n, 2) with a second column of ones, and y (n,)."""
    from core.sgd.regression import make_points

    if setup.points is None:
        return make_points(setup.n, noise=setup.noise, outlier=setup.outlier, seed=setup.seed)
    places = np.array(setup.points, dtype=float)
    return np.column_stack([places[:, 0], np.ones(len(places))]), places[:, 1]


def pairs(setup: Setup) -> list[Pair]:
    """The points on the screen, as (x, y)."""
    x, y = points_of(setup)
    return [(float(one), float(two)) for one, two in zip(x[:, 0], y, strict=True)]


def limit(setup: Setup) -> float:
    """2 / the largest curvature: above it plain descent on all points leaves the bowl."""
    from core.sgd.regression import largest_stable_lr

    return largest_stable_lr(points_of(setup)[0])


def rates(setup: Setup, peak: float) -> list[float]:
    """The rate of every step, as the schedule has it at that point of the way."""
    epochs = setup.steps / math.ceil(setup.count / (setup.batch_size or setup.count))
    return [rate_at(setup.schedule, i / setup.steps, lr_max=peak, epochs=epochs) for i in range(setup.steps)]


def one_descent(setup: Setup) -> Data:
    """One descent; beside a path of mini-batches the loss of the same rate on all points, to compare the cost."""
    x, y = points_of(setup)
    made = [_run(setup, x, y, rates(setup, setup.rate), name=_title(setup))]
    if setup.batch_size is not None:
        whole = replace(setup, batch=0)
        timed = _run(replace(whole, steps=TIMED), x, y, [setup.rate] * TIMED, name="", bare=True)
        walked = _run(whole, x, y, rates(whole, setup.rate), name=read("sgd", "all_points"), bare=True, by_formula=True)
        made.append({**walked, "step_ms": timed["step_ms"]})
    return _picture("one", setup, x, y, made)


def three_rates(setup: Setup) -> Data:
    """Three rates from the same start, on the same axes."""
    x, y = points_of(setup)
    made = [
        {**_run(setup, x, y, rates(setup, peak), name=read("sgd", f"rate_{tone}"), bare=True), "tone": tone}
        for tone, peak in zip(TONES, (setup.low, setup.rate, setup.high), strict=True)
    ]
    return _picture("three", setup, x, y, made)


def range_and_cycle(setup: Setup) -> Data:
    """A range test on these points, one cycle whose top is the set-up's rate, and that rate held all the way."""
    x, y = points_of(setup)
    cycle, flat = replace(setup, schedule="one_cycle"), replace(setup, schedule="constant")
    made = [
        _run(cycle, x, y, rates(cycle, setup.rate), name=read("sgd", "one_cycle")),
        {**_run(flat, x, y, rates(flat, setup.rate), name=read("sgd", "constant"), bare=True), "tone": "other"},
    ]
    tested = _range_test(setup, x, y)
    return {**_picture("test", setup, x, y, [*made, tested]), "suggested": tested["suggested"]}


def _range_test(setup: Setup, x: np.ndarray, y: np.ndarray) -> Data:
    """The rate grows by one factor a step; it ends, as on a model, at so many times the best smoothed loss."""
    top = limit(setup)
    ladder = lr_ladder(BELOW * top, ABOVE * top, setup.steps)
    found = _run(setup, x, y, ladder, name=read("sgd", "range_test"), bare=True)
    calm = smooth(found["loss"][:-1])
    best = np.minimum.accumulate(calm)
    gone = np.flatnonzero(calm > STOP_FACTOR * best)
    end = int(gone[0]) + 1 if len(gone) else len(calm)
    answer = suggest(ladder[:end], calm[:end], steps=setup.steps)["recommended"]
    for name, per in (("a", 2), ("grad", 2), ("loss", 1)):
        found[name] = found[name][: per * (end + (name != "grad"))]
    return {**found, "rates": found["rates"][:end], "steps": end, "suggested": answer.lr, "why": answer.why}


def _run(
    setup: Setup,
    x: np.ndarray,
    y: np.ndarray,
    peaks: Sequence[float] | np.ndarray,
    *,
    name: str,
    bare: bool = False,
    by_formula: bool = False,
) -> Data:
    """One path as plain lists: `a` and the slopes one after the other, `rows` the batches. A `bare` one has no rows."""
    from core.sgd.regression import best_line, descend, hessian
    from core.sgd.rules import Hyper

    hyper = Hyper(momentum=setup.kept) if "adam" not in setup.rule else Hyper(betas=(setup.kept, 0.999))
    path = descend(
        x, y, setup.start, lr=list(peaks), steps=setup.steps, batch_size=setup.batch_size,
        rule=_RULE_OF.get(setup.rule, setup.rule), hyper=hyper, seed=setup.seed, by_formula=by_formula,
    )  # fmt: skip
    bottom, curve = best_line(x, y), hessian(x)
    best = float(np.mean((x @ bottom - y) ** 2))
    found = judge(path.a, path.loss, bottom, best, np.linalg.eigh(curve)[1], path.diverged_at is not None)
    exact = limit_of(setup.rule, setup.momentum, float(np.linalg.eigvalsh(curve)[-1]))
    made = {
        "name": name,
        "a": _plain(path.a),
        "loss": _plain(path.loss),
        "grad": _plain(path.grad),
        "rates": _plain(path.rates),
        "steps": len(path.rates),
        "lost": path.diverged_at,
        "batch": setup.batch_size or setup.count,
        "step_ms": round(1000 * path.step_s, 4),
        "kind": found.kind,
        "said": verdict_words(found, len(path.rates), path.diverged_at, exact),
    }
    if not bare and setup.batch_size is not None:
        made |= {"full": _plain(path.full_grad), "rows": np.concatenate(path.batches).tolist()}
    return made


def verdict_words(found: Verdict, steps: int, lost: int | None, exact: float | None) -> str:
    """What became of a descent, in the student's numbers."""
    where = "lost" if found.kind == "diverge" and lost else found.kind
    words = read("sgd", f"verdict_{where}").format(
        steps=steps, end=number(found.end), best=number(found.best), left=share(found.left), swings=found.swings
    )
    if found.kind == "diverge":
        words += " " + read("sgd", "limit_none" if exact is None else "limit_is").format(limit=number(exact or 0.0))
    return words


def _picture(kind: str, setup: Setup, x: np.ndarray, y: np.ndarray, made: list[Data]) -> Data:
    from core.sgd.regression import best_line

    bottom = best_line(x, y)
    least, first = float(np.mean((x @ bottom - y) ** 2)), float(np.mean((x @ np.array(setup.start) - y) ** 2))
    return {
        "kind": kind,
        "x": _plain(x[:, 0]),
        "y": _plain(y),
        "best": _plain(bottom),
        "floor": max(least, DROP * first, 1e-9),
        "first": max(first, 1e-6),
        "limit": limit(setup),
        "steps": setup.steps,
        "count": setup.count,
        "rule": setup.rule,
        "runs": made,
    }


def _title(setup: Setup) -> str:
    if setup.batch_size is None:
        return read("sgd", "all_points")
    return read("sgd", "batch_of").format(points=counted(setup.batch_size, "point"))


def _plain(values: np.ndarray) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in np.asarray(values, dtype=float).ravel().tolist()]


def sayings(names: Sequence[str]) -> Mapping[str, str]:
    """The words that the browser needs, by their names."""
    return {name: read("sgd", name) for name in names}


def rate_words(value: float) -> str:
    """A rate as it stands on a control."""
    return f"{value:.3g}" if value >= 0.01 else rate(value)
