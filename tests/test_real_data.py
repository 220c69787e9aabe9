"""The promise on real pictures: Fashion-MNIST from a terminal, as a newcomer types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.data.samples import real_sets

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def fashion_installed():
    if not real_sets.DEBIAN_FASHION.is_dir():
        if os.environ.get("CI"):
            pytest.fail("Fashion-MNIST is missing: install Debian's dataset-fashion-mnist")
        pytest.skip("Debian's dataset-fashion-mnist is not installed")


@pytest.mark.slow
def test_four_epochs_on_fashion_mnist_end_under_a_quarter_wrong(fashion_installed, tmp_path):
    def core(*arguments):
        command = [sys.executable, "-m", "core", "--home", str(tmp_path), *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    [made] = core("sample", "fashion", "--per-class", "200", "--name", "f")
    assert (made["kept"], made["train"], made["valid"], len(made["classes"])) == (2000, 1600, 400, 10)
    *epochs, last = core("train", "f", "--epochs", "4")
    assert len(epochs) == 4 and last["of"] == 400
    assert last["error_rate"] < 0.25
