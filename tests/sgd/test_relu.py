"""Networks side by side: each as if it were alone, the gradient autograd's own, and lines that stay a line."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import SettingsError
from core.sgd.relu import _fresh, train_networks

X = np.linspace(-1, 1, 41)
Y = np.sin(4 * X)
FINE = np.linspace(-1, 1, 101)


def test_a_network_is_trained_as_if_it_were_alone():
    many = train_networks(X, Y, [3, 8], epochs=30)
    one = train_networks(X, Y, [8], epochs=30)
    assert many.predict(FINE)[1] == pytest.approx(one.predict(FINE)[0], abs=1e-4)
    assert many.parameters(0) == 10 and many.parameters(1) == 25
    assert not many.out[0, 3:].any() and not many.slope[0, 3:].any()


def test_it_learns_as_the_same_network_of_layers_does():
    width, epochs, decay = 6, 25, 1e-2
    units, _, _ = _fresh([width], 0)
    net = nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, 1))
    with torch.no_grad():
        net[0].weight.copy_(units[0, 0][:, None])
        net[0].bias.copy_(units[0, 1])
        net[2].weight.copy_(units[0, 2][None])
        net[2].bias.zero_()
    optimiser = torch.optim.Adam(net.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda epoch: (1 + np.cos(np.pi * epoch / epochs)) / 2)
    x, y = (torch.tensor(values, dtype=torch.float32)[:, None] for values in (X, Y))
    for _ in range(epochs):
        loss = ((net(x) - y) ** 2).mean() + decay * (net[0].weight.square().sum() + net[2].weight.square().sum())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    ours = train_networks(X, Y, [width], epochs=epochs, decay=decay)
    theirs = net(torch.tensor(FINE, dtype=torch.float32)[:, None]).detach().numpy()[:, 0]
    assert ours.predict(FINE)[0] == pytest.approx(theirs, abs=1e-3)


def test_units_and_level_add_up_to_the_curve_and_bend_only_at_their_hinges():
    made = train_networks(X, Y, [5], epochs=50)
    assert made.units(0, FINE).sum(0) + made.level[0] == pytest.approx(made.predict(FINE)[0])
    second = np.abs(np.diff(made.predict(FINE)[0], 2))
    hinges = -made.shift[0] / made.slope[0]
    bends = FINE[1:-1][second > 1e-4]
    assert len(bends) and all(np.abs(hinges - bend).min() <= FINE[1] - FINE[0] + 1e-6 for bend in bends)


@pytest.mark.parametrize("width", (1, 4, 32))
def test_without_the_bend_any_number_of_lines_is_one_line(width):
    made = train_networks(X, Y, [width], epochs=200, bent=False)
    slope, height = made.line(0)
    assert made.predict(FINE)[0] == pytest.approx(slope * FINE + height, abs=1e-5)
    best = np.polynomial.Polynomial.fit(X, Y, 1)
    assert made.predict(FINE)[0] == pytest.approx(best(FINE), abs=0.02), "and training finds the best one"


def test_more_hinges_come_closer_to_a_target_and_training_makes_the_loss_fall():
    made = train_networks(X, Y, [1, 2, 4, 16], epochs=400)
    losses = ((made.predict(X) - Y) ** 2).mean(1)
    assert losses[3] < 1e-3 < losses[2] < losses[0]
    assert (made.losses[-1] < made.losses[0]).all() and made.losses.shape == (400, 4)


def test_each_network_may_have_points_of_its_own():
    both = train_networks(np.array([X, X]), np.array([Y, -Y]), [16, 16], epochs=300)
    assert both.predict(X) == pytest.approx(np.array([Y, -Y]), abs=0.2)


def test_the_same_seed_gives_the_same_curve_and_another_another():
    curves = [train_networks(X, Y, [8], epochs=20, seed=seed).predict(FINE) for seed in (1, 1, 2)]
    assert (curves[0] == curves[1]).all() and (curves[0] != curves[2]).any()


def test_how_many_cores_pytorch_uses_is_as_before():
    before = torch.get_num_threads()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: train_networks(X, Y, [4], epochs=5, seed=seed), range(8)))
    with pytest.raises(SettingsError):
        train_networks(X, Y, [4], epochs=0)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("ask", ({"widths": []}, {"widths": [0]}, {"widths": [513]}, {"epochs": 0}, {"decay": -1.0}))
def test_what_cannot_be_trained_is_a_sentence(ask):
    with pytest.raises(SettingsError):
        train_networks(X, Y, **{"widths": [2], **ask})
