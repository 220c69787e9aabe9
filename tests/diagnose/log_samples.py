"""Logs as people paste them: text; the tool, the columns and the rows that are read, and what is passed over."""

from __future__ import annotations

import math

SAMPLES = {
    "fastai, frozen and then unfrozen": (
        """
epoch     train_loss  valid_loss  error_rate  time
0         1.204411    0.310256    0.110000    00:12
1         0.655313    0.205127    0.070000    01:02
Better model found at epoch 0 with valid_loss value: 0.31.
epoch     train_loss  valid_loss  error_rate  time
0         0.301201    0.180012    0.060000    1:00:01
""",
        "fastai",
        ["stage", "epoch", "train_loss", "valid_loss", "error_rate", "seconds"],
        [
            [0, 0, 1.204411, 0.310256, 0.11, 12.0],
            [0, 1, 0.655313, 0.205127, 0.07, 62.0],
            [1, 0, 0.301201, 0.180012, 0.06, 3601.0],
        ],
        ("Line 5 was passed over: “Better model found at epoch 0 with valid_loss value: 0.31.”.",),
    ),
    "fastai without a metric, stopped in an epoch": (
        "epoch\ttrain_loss\tvalid_loss\ttime\n0\t2.5\tnan\t00:12\n1\tinf\t#na#\t00:10\n",
        "fastai",
        ["stage", "epoch", "train_loss", "valid_loss", "seconds"],
        [[0, 0, 2.5, "nan", 12.0], [0, 1, math.inf, None, 10.0]],
        (),
    ),
    "fastai 0.7 without names": (
        "[ 0.       0.04955  0.02605  0.98975]                          \n"
        "[ 1.       0.03977  0.02916  0.99219]\n[0.      0.03 0.02 0.995]\n",
        "fastai",
        ["stage", "epoch", "train_loss", "valid_loss", "accuracy"],
        [[0, 0, 0.04955, 0.02605, 0.98975], [0, 1, 0.03977, 0.02916, 0.99219], [1, 0, 0.03, 0.02, 0.995]],
        ("The rows carry no names: they were taken for epoch, training loss, validation loss and accuracy.",),
    ),
    "Keras with bars, evaluated afterwards, stopped in an epoch": (
        "Epoch 1/3\n16/32 [==>...] - ETA: 1s - loss: 0.90 - accuracy: 0.40\r"
        "32/32 [=====] - 2s 20ms/step - loss: 0.6931 - accuracy: 0.5100 - val_loss: 0.6812 - val_accuracy: 0.5500\n"
        "Epoch 1: val_loss improved from inf to 0.68120, saving model to best.keras\n"
        "Epoch 2/3\n32/32 [=====] - 2s 20ms/step - loss: nan - accuracy: 0.5100 - val_loss: nan - val_accuracy: 0.5\n"
        "10/10 [=====] - 0s 5ms/step - loss: 0.3000 - accuracy: 0.9000\n"
        "Epoch 3/3\n 3/32 [>....] - ETA: 9s - loss: 0.2000 - accuracy: 0.9500",
        "Keras",
        ["stage", "epoch", "train_loss", "train_accuracy", "valid_loss", "accuracy"],
        [[0, 1, 0.6931, 0.51, 0.6812, 0.55], [0, 2, "nan", 0.51, "nan", 0.5]],
        (
            "Epoch 3 had not ended, so it does not count.",
            "Lines that follow the end of an epoch, as evaluate prints them, were passed over: 1.",
        ),
    ),
    "Keras, two calls of fit without validation": (
        "Epoch 1/2\n1875/Unknown 3s 1ms/step - acc: 0.8 - loss: 0.50\nEpoch 2/2\n - 3s - loss: 0.40 - acc: 0.9\n"
        "Epoch 1/1\n - 3s - loss: 0.30 - acc: 0.9",
        "Keras",
        ["stage", "epoch", "train_accuracy", "train_loss"],
        [[0, 1, 0.8, 0.5], [0, 2, 0.9, 0.4], [1, 1, 0.9, 0.3]],
        (),
    ),
    "a history as Python prints it": (
        "History:  {'loss': [np.float64(0.69), 0.5, inf], \"val_loss\": array([0.6, nan, 1e-3]), 'lr': [0.001, 0.001]}",
        "Keras",
        ["stage", "epoch", "train_loss", "valid_loss", "lr"],
        [[0, 0, 0.69, 0.6, 0.001], [0, 1, 0.5, "nan", 0.001], [0, 2, math.inf, 0.001, None]],
        ("lr has 2 numbers where others have 3: they were taken for the first epochs.",),
    ),
    "Lightning, tested at the end": (
        "epoch,lr-SGD,step,test_acc,test_loss,train_loss_epoch,train_loss_step,val/acc,val/loss\n"
        ",0.01,0,,,,,,\n0,,3,,,,0.9,,\n0,,6,,,,,0.5,0.71\n0,,6,,,0.8,,,\n"
        "1,,9,,,,0.6,,\n1,,13,,,,,0.75,0.52\n1,,13,,,0.65,,,\n2,,14,0.7,0.6,,,,\n2,,14,,,,0.5,,\n",
        "Lightning",
        ["stage", "epoch", "train_loss", "accuracy", "valid_loss"],
        [[0, 0, 0.8, 0.5, 0.71], [0, 1, 0.65, 0.75, 0.52]],
        (),
    ),
    "a spreadsheet with decimal commas and percents": (
        "Epoch;Train Loss;Val Loss;Accuracy (%);lr\n1;1,25;1.184.996.224,0;81,5;0,001\n2;0,5;0,4;—;0,001\n",
        "table",
        ["stage", "epoch", "train_loss", "valid_loss", "accuracy", "lr"],
        [[0, 1, 1.25, 1184996224.0, 0.815, 0.001], [0, 2, 0.5, 0.4, None, 0.001]],
        (),
    ),
    "percents in the cells, counts from pandas in front": (
        "   epoch  loss  error\n0      1   0.5  8.5 %\n1      2   0.4    1 %\n\n[2 rows x 3 columns]",
        "Keras",
        ["stage", "epoch", "train_loss", "train_error"],
        [[0, 1, 0.5, 0.085], [0, 2, 0.4, 0.01]],
        (),
    ),
    "a loop written by hand": (
        "Epoch 1/2 | train_loss=0.61 | val_loss=0.55 | val_acc=81.5% | lr=1e-3\nsaved.\n"
        "Epoch 2/2 | train_loss=0.41 | val_loss=NaN | val_acc=33% | lr=1e-3",
        "table",
        ["stage", "epoch", "train_loss", "valid_loss", "accuracy", "lr"],
        [[0, 1, 0.61, 0.55, 0.815, 0.001], [0, 2, 0.41, "nan", 0.33, 0.001]],
        (),
    ),
    "our own lines of a run that exploded": (
        '{"stage": 0, "epoch": 0, "train_loss": 0.9, "train_loss_eval": 0.8, "valid_loss": 0.7, "of": 60}\n'
        '{"stage": 1, "epoch": 0, "train_loss": null, "train_loss_eval": null, "valid_loss": null, "of": 60}\n'
        '{"run": "abc", "state": "diverged", "error_rate": null, "wrong": 40, "of": 60, "verdict": "lr_too_high"}',
        "Bearings",
        ["stage", "epoch", "train_loss", "train_loss_eval", "valid_loss", "of"],
        [[0, 0, 0.9, 0.8, 0.7, 60.0], [1, 0, "nan", "nan", "nan", 60.0]],
        (),
    ),
    "the file of events of one of our runs": (
        '{"kind": "batch", "epoch": 0, "loss": 0.5}\n'
        '{"kind": "epoch", "stage": 0, "epoch": 0, "train_loss": "nan", "train_loss_smooth": 0.8, "valid_loss": "inf"}',
        "Bearings",
        ["stage", "epoch", "train_loss", "train_loss_smooth", "valid_loss"],
        [[0, 0, "nan", 0.8, math.inf]],
        (),
    ),
}  # fmt: skip
