"""The whole check: it ends with a failure as soon as one of its steps fails, and runs the README's test command."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STEPS = ("pip", "pytest", "ruff", "mypy")


def commands_in(text):
    return [line for line in re.split(r"\n| && ", text) if line.split(" ")[0] in STEPS]


def test_it_runs_the_test_command_of_the_readme():
    readme = re.search(r"^pip install -r requirements-dev\.txt.*$", (ROOT / "README.md").read_text(), re.MULTILINE)[0]
    wanted = [command.replace("pip install", "pip install -q") for command in commands_in(readme)]
    assert len(wanted) == 3 and commands_in((ROOT / ".ci/run").read_text())[:3] == wanted


@pytest.mark.parametrize("broken", ["", *STEPS])
def test_a_step_that_fails_fails_the_whole(tmp_path, broken):
    tools = tmp_path / "venv" / "bin"
    tools.mkdir(parents=True)
    for name in (*STEPS, "python", "chromium"):
        (tools / name).write_text(f"#!/bin/sh\nexit {int(name == broken)}\n")
        (tools / name).chmod(0o755)
    (tools / "activate").write_text(f'PATH="{tools}:$PATH"\n')
    for name in ("sudo", "apt-get", "id"):  # nothing is installed here, whatever is missing
        (tools / name).write_text("#!/bin/sh\necho 0\n")
        (tools / name).chmod(0o755)
    env = {**os.environ, "BEARINGS_CI_VENV": str(tmp_path / "venv"), "PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run([ROOT / ".ci/run"], env=env, capture_output=True, timeout=30)
    assert (done.returncode != 0) == bool(broken), done.stderr
