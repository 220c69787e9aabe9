"""How long the loss surface of a head takes: 41 x 41 points on two cores, against asking the model's own layers.

    python -m benchmarks.landscape [--pictures 200] [--points 41] [--repeat 5]

Heads of Lite0 and of ResNet-50 (2,560 and 4,096 activations a picture), random numbers for activations. Prints the
median seconds, the share of the 2 s that were set as a limit, and how many times as long the layers themselves would
take, by a sample of points of the same run.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from benchmarks.common import say_machine
from core.interpret.landscape import at, loss_at, surface, through, ticks, weights_of
from core.vision.model import Head

LIMIT_S = 2.0
SAMPLE = 40
SPANS = ((-10.0, 20.0), (-10.0, 10.0))


def timed(repeat: int, work: Callable[[], object]) -> float:
    """Median seconds of `work()`."""
    spent = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def measure(features: int, pictures: int, points: int, repeat: int) -> tuple[float, float]:
    """Seconds of a surface, and of as many points asked of the layers themselves."""
    drawn = torch.Generator().manual_seed(0)
    head = Head(features, 3, dropout=0.5)
    given = torch.rand(pictures, 2 * features, generator=drawn), torch.randint(0, 3, (pictures,), generator=drawn)
    start = weights_of(head)
    plane = through(start, *(start + 0.01 * torch.randn(len(start), generator=drawn) for _ in range(2)))
    whole = timed(repeat, lambda: surface(head, *given, plane, SPANS, points))
    some = [(x, y) for x in ticks(SPANS[0], 8).tolist() for y in ticks(SPANS[1], SAMPLE // 8).tolist()]
    each = timed(1, lambda: [loss_at(head, *given, at(plane, x, y)) for x, y in some]) / len(some)
    return whole, each * points * points


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--points", type=int, default=41)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    say_machine()
    print(f"{options.points} x {options.points} points, {options.pictures} pictures")
    for name, features in (("Lite0", 1280), ("ResNet-50", 2048)):
        whole, layers = measure(features, options.pictures, options.points, options.repeat)
        print(
            f"{name:<10} {whole:5.2f} s   {whole / LIMIT_S:4.2f} of the limit   the layers themselves: "
            f"{layers / whole:4.1f} times as long"
        )


if __name__ == "__main__":
    main()
