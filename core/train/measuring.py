"""How good a model is by now: a learner in; losses, errors and what it says about a few pictures out."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from core.settings import Stage
from core.train.events import Glimpse
from core.train.source import Part, scores
from core.train.steps import Learner
from core.vision.model import set_training

EVAL_ITEMS, EVAL_ITEMS_SLOW = 200, 32  # on kept activations, and where the body has to run for each of them
WATCHED = 8


@torch.inference_mode()
def measure(learner: Learner, stage: Stage) -> dict[str, Any]:
    """Losses and errors in evaluation mode: all of the validation set, and at most EVAL_ITEMS training pictures.

    Where the body has to run for each of them it is EVAL_ITEMS_SLOW: 200 were a seventh of an epoch of all layers.
    """
    set_training(learner.model, False)
    train, valid = learner.source.train, learner.source.valid
    most = EVAL_ITEMS if stage.cached else EVAL_ITEMS_SLOW
    some = torch.linspace(0, len(train) - 1, min(most, len(train))).long()
    train_losses, _, _ = _evaluate(learner, train, some, use_features=stage.cached)
    losses, wrong, learner.exam = _evaluate(learner, valid, torch.arange(len(valid)), use_features=stage.frozen)
    n_wrong = int(wrong.sum())
    return {
        "train_loss_eval": float(train_losses.mean()),
        "valid_loss": float(losses.mean()),
        "error_rate": n_wrong / len(valid),
        "accuracy": 1 - n_wrong / len(valid),
        "wrong": n_wrong,
        "of": len(valid),
    }


@torch.inference_mode()
def glimpse(learner: Learner, stage: Stage, number: int, epoch: int) -> Glimpse:
    """What the model says about the same few validation pictures, of every class in turn.

    After an epoch that is what it said in its exam; before the first it is asked.
    """
    valid, classes = learner.source.valid, learner.model.classes
    rows = watched_rows(valid.labels)
    if learner.exam is not None:
        said = learner.exam[rows]
    else:
        set_training(learner.model, False)
        said = scores(learner.model, valid, rows, learner.device, use_features=stage.frozen).cpu()
    highest = said.softmax(1).max(1)
    return Glimpse(
        seq=0,
        stage=number,
        epoch=epoch,
        files=tuple(valid.hashes[row] for row in rows),
        labels=tuple(classes[label] for label in valid.labels[rows]),
        predicted=tuple(classes[label] for label in highest.indices),
        probs=tuple(highest.values.tolist()),
    )


def watched_rows(labels: torch.Tensor, count: int = WATCHED) -> torch.Tensor:
    """The rows of a few pictures to watch: the first of every class, then the second of every class, … (count,)."""
    turn: dict[int, int] = {}
    places = []
    for row, label in enumerate(labels.tolist()):
        turn[label] = turn.get(label, -1) + 1
        places.append((turn[label], label, row))
    return torch.tensor([row for _, _, row in sorted(places)[:count]])


def _evaluate(
    learner: Learner, part: Part, rows: torch.Tensor, *, use_features: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Loss (N,) in nats, whether the arg max is wrong (N,) and the scores (N, classes) for some rows of a part."""
    losses, wrong, answers = [], [], []
    for some in rows.split(2 * learner.batch_size):
        output = scores(learner.model, part, some, learner.device, use_features=use_features)
        labels = part.labels[some].to(output.device)
        losses.append(F.cross_entropy(output, labels, reduction="none").cpu())
        wrong.append((output.argmax(1) != labels).cpu())
        answers.append(output.cpu())
    return torch.cat(losses), torch.cat(wrong), torch.cat(answers)
