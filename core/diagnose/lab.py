"""The lab: five ways to train, four of which go wrong on purpose, shown under letters until somebody has guessed.

A round is five ordinary training runs that carry the round's id and their part in it. What was guessed is kept in one
file per owner, so that a score outlives a refresh and a round that was revealed stays so.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import NotFound
from core.settings import TrainSettings
from core.train.recipes import preset
from core.train.runs import Run
from core.workspace import Workspace, lock, read_json, write_json

FILE = "lab.json"
LETTERS = "ABCDE"
KEPT_ROUNDS = 500


@dataclass(frozen=True)
class Role:
    """One of the five. `recipe` trains it; `kind` is the finding that it is set up to be."""

    title: str
    recipe: str
    kind: str


ROLES: Mapping[str, Role] = {
    "too_high": Role("Rate too high", "too_high", "lr_too_high"),
    "too_low": Role("Rate too low", "too_low", "lr_too_low"),
    "too_few": Role("Too few epochs", "too_few", "too_few_epochs"),
    "too_many": Role("Too many epochs", "too_many", "overfit"),
    "just_right": Role("Just right", "quick", "healthy"),
}


@dataclass(frozen=True)
class Guessed:
    """A round that was revealed: the role that was guessed for each role there was ("" where nothing was)."""

    group: str
    guesses: Mapping[str, str]

    @property
    def right(self) -> int:
        """How many guesses were right."""
        return sum(guess == role for role, guess in self.guesses.items())

    @property
    def made(self) -> int:
        """How many guesses there were."""
        return sum(bool(guess) for guess in self.guesses.values())


def order_of(group: str) -> tuple[str, ...]:
    """The roles of a round in the order of its letters: another one for every round, the same for the same."""
    return tuple(random.Random(group).sample(tuple(ROLES), len(ROLES)))


def settings_of(role: str, settings: TrainSettings | None = None) -> TrainSettings:
    """How a role trains, on top of `settings` (network, size, seed)."""
    return preset(ROLES[role].recipe, settings)


def group_of(run: Run) -> tuple[str, str] | None:
    """The round of a run and its role in it, or None for a run that is none of the lab's."""
    about = run.request.get("lab")
    if not isinstance(about, Mapping) or about.get("role") not in ROLES:
        return None
    return str(about.get("group", "")), str(about["role"])


def newest_round(runs: Sequence[Run], dataset: str) -> tuple[str, dict[str, Run]]:
    """Id and runs (role -> run) of the latest round on a data set; ("", {}) where there was none. Newest runs first."""
    mine = [(run, about) for run in runs if run.request.get("dataset") == dataset and (about := group_of(run))]
    if not mine:
        return "", {}
    group = mine[0][1][0]
    return group, {role: run for run, (of, role) in reversed(mine) if of == group}


def repairs_of(runs: Sequence[Run], faulty: str) -> list[Run]:
    """Runs that mend the run of this id, newest first."""
    return [run for run in runs if (run.request.get("repairs") or {}).get("run") == faulty]


def revealed(workspace: Workspace) -> dict[str, Guessed]:
    """Every round that this owner has revealed, by its id, oldest first."""
    try:
        record = read_json(workspace.root / FILE)
    except NotFound:
        return {}
    return {str(row["group"]): Guessed(str(row["group"]), dict(row["guesses"])) for row in record.get("rounds", ())}


def reveal(workspace: Workspace, group: str, guesses: Mapping[str, str]) -> Guessed:
    """Write down what was guessed (role -> guessed role or ""); the first reveal of a round is the one that counts."""
    clean = {role: guesses.get(role, "") if guesses.get(role) in ROLES else "" for role in ROLES}
    with lock(workspace.root, "The lab"):
        known = revealed(workspace)
        if group not in known:
            known[group] = Guessed(group, clean)
            rows: list[dict[str, Any]] = [{"group": one.group, "guesses": dict(one.guesses)} for one in known.values()]
            write_json(workspace.root / FILE, {"rounds": rows[-KEPT_ROUNDS:]})
    return known[group]


def score(rounds: Mapping[str, Guessed]) -> tuple[int, int]:
    """Right guesses and guesses over all rounds."""
    return sum(one.right for one in rounds.values()), sum(one.made for one in rounds.values())


def seconds_left(expected: Mapping[str, float], done: Mapping[str, float], took: Mapping[str, float]) -> float:
    """How long a round still takes, by what was expected and by the pace of those of its runs that have ended.

    By role: `expected` seconds as guessed beforehand, `done` shares in 0..1, and the seconds that ended runs `took`.
    What was expected keeps half the weight of the whole round, so that one run of a second does not speak for a minute:
    `seconds_left({"a": 2, "b": 10}, {"b": 0.5}, {"a": 4}) -> 6.25`, five seconds at (4 + 6) / (2 + 6) of the pace.
    """
    weight = sum(expected.values()) / 2
    pace = (sum(took.values()) + weight) / ((sum(expected[role] for role in took) + weight) or 1.0)
    return pace * sum(seconds * (1 - done.get(role, 0.0)) for role, seconds in expected.items() if role not in took)
