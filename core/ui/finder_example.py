"""A curve to look at before there is one of your own: nothing in, the finder's points on the bears out."""

from __future__ import annotations

import pandas as pd

from core.train.lr_finder import lr_ladder, smooth

# the loss of each batch: the sample of bears, a fresh model, the head alone, 64 pictures a step, 100 steps from 1e-7
LOSSES = (
    1.99, 2.1, 2.05, 1.54, 2.22, 1.65, 1.85, 1.73, 2.32, 1.87, 2.02, 2.09, 2.11, 2.08, 2.08, 1.98, 1.95, 1.66, 1.69,
    1.84, 1.87, 1.76, 1.77, 2.1, 1.62, 2.09, 1.43, 2.03, 1.54, 1.73, 1.43, 1.66, 1.63, 1.66, 1.12, 1.48, 1.08, 1.1,
    1.1, 0.948, 0.513, 0.694, 0.592, 0.834, 0.276, 0.236, 0.198, 0.12, 0.175, 0.121, 0.109, 0.0761, 0.0271, 0.0128,
    0.0991, 0.0558, 0.0281, 5.77e-05, 0.000827, 0.0188, 0.000192, 0.0124, 0.0535, 0.0291, 0.00112, 0.000256, 0.0039,
    0.000129, 0.0044, 0.000746, 2.37e-05, 6.54e-06, 4.38e-05, 0.00024, 1.68e-05, 0.00073, 0.000144, 0.000319,
    0.00133, 0.000312, 6.53e-06, 0.0107, 0.000126, 0.00812, 0.00159, 0.00687, 2.98e-06, 0.000278, 0.0596, 0.841,
    1.53, 16.5, 54.5,
)  # fmt: skip
STEPS = 100


def example() -> pd.DataFrame:
    """One row a batch: lr, loss, loss_smooth."""
    ladder = lr_ladder(steps=STEPS)[: len(LOSSES)]
    return pd.DataFrame({"lr": ladder, "loss": LOSSES, "loss_smooth": smooth(LOSSES)})
