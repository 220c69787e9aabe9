"""What a newcomer waits for: making the sample set and training on it the first time, each as a whole process.

    python -m benchmarks.first_run [--per-class 100] [--repeat 3]

Prints seconds, imports included, the ratio to the limit that was set (20 s each), and the ratio to a floor measured in
the same run: importing torch and running the body once over as many pictures that are in memory already.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import say_machine

LIMIT_S = 20.0
FLOOR = """
import torch
from core.vision.device import pick_device
from core.vision.features import activations
from core.vision.model import build_model
pictures = torch.randint(0, 256, ({pictures}, 3, 224, 224), dtype=torch.uint8)
model = build_model("lite0", ("a", "b", "c"), seed=0)
for _ in activations(model, iter(pictures.split(32)), pick_device("cpu")):
    pass
"""


def seconds_of(*arguments: str) -> tuple[float, str]:
    """Wall clock of a command of this Python, and what it printed."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    return time.perf_counter() - began, done.stdout


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-class", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    say_machine()
    made, trained, warm, floor, errors = [], [], [], [], set()
    for _ in range(options.repeat):
        with tempfile.TemporaryDirectory() as home:
            core = ("-m", "core", "--home", str(Path(home)))
            made.append(seconds_of(*core, "sample", "bears", "--name", "b", "--per-class", str(options.per_class))[0])
            cold = seconds_of(*core, "train", "b")
            trained.append(cold[0])
            again = seconds_of(*core, "train", "b")
            warm.append(again[0])
            errors |= {json.loads(text.splitlines()[-1])["error_rate"] for _, text in (cold, again)}
        floor.append(seconds_of("-c", FLOOR.format(pictures=3 * options.per_class))[0])
    base = statistics.median(floor)
    print(f"floor: imports and one pass of the body   {base:6.1f} s")
    for name, values in (("sample bears", made), ("train, cold", trained), ("train, warm", warm)):
        value = statistics.median(values)
        print(f"{name:<40} {value:6.1f} s   {value / LIMIT_S:4.2f} of the limit   {value / base:4.1f} times the floor")
    print(f"error rates of all runs: {sorted(errors)}")


if __name__ == "__main__":
    main()
