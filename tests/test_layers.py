"""The import order of the design, read from the source with `ast`: every import anywhere in a file counts."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# each layer may import from itself and from those before it; members of one layer may not import each other
LAYERS = [
    {"errors"},
    {"settings"},
    {"workspace"},
    {"data"},
    {"vision"},
    {"train"},
    {"jobs"},
    {"deploy", "diagnose", "interpret"},
    {"text", "plots"},
    {"ui", "commands"},
    {"__main__", "pages", "app"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
SGD_MAY_IMPORT = {"sgd", "settings", "errors"}
TORCH_PLACES = ("core/data/pixels.py", "core/vision/", "core/train/", "core/interpret/", "core/deploy/", "core/sgd/")
STREAMLIT_PLACES = ("app.py", "pages/", "core/ui/")
FILES = sorted([ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "core").rglob("*.py")])


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imports_of(source: str) -> set[str]:
    """Full names of all modules a source file imports, wherever in the file; `from a import b` gives a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def package_of(name: str) -> str:
    """The layer a file belongs to: core/data/table.py -> data, core/errors.py -> errors, pages/x.py -> pages."""
    parts = Path(name).with_suffix("").parts
    return parts[1] if parts[0] == "core" and len(parts) > 1 else parts[0]


def faults(name: str, source: str) -> list[str]:
    """What a file imports that it may not."""
    imports, own = imports_of(source), package_of(name)
    used = {parts[1] for parts in (found.split(".") for found in imports) if parts[0] == "core" and len(parts) > 1}
    wrong = []
    if own == "sgd":
        wrong += [f"{name} imports core.{other}" for other in (used & (LEVEL.keys() | {"sgd"})) - SGD_MAY_IMPORT]
    else:
        level = LEVEL[own]
        wrong += [f"{name} imports core.{other}" for other in used & LEVEL.keys() - {own} if LEVEL[other] >= level]
    tops = {found.split(".")[0] for found in imports}
    if "torch" in tops and not name.startswith(TORCH_PLACES):
        wrong.append(f"{name} imports torch")
    if "streamlit" in tops and not name.startswith(STREAMLIT_PLACES):
        wrong.append(f"{name} imports streamlit")
    return wrong


@pytest.mark.parametrize("file", [file for file in FILES if name_of(file) != "core/__init__.py"], ids=name_of)
def test_imports_point_one_way(file):
    assert faults(name_of(file), file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(("name", "source"), [
    ("core/data/table.py", "from core.train import runs"),
    ("core/data/table.py", "def f():\n    import core.vision.model"),
    ("core/plots/style.py", "import torch"),
    ("core/train/runs.py", "import streamlit as st"),
    ("core/deploy/bundle.py", "from core.diagnose import diagnose"),
    ("core/jobs/engine.py", "from core import ui"),
    ("core/sgd/rules.py", "from core.data import table"),
])  # fmt: skip
def test_a_wrong_import_is_noticed(name, source):
    assert faults(name, source)


def test_every_package_has_a_place_in_the_order():
    packages = {path.name for path in (ROOT / "core").iterdir() if (path / "__init__.py").exists()} - {"sgd"}
    assert packages <= set(LEVEL)


FREE_OF_TORCH = (
    "core.train.runs",
    "core.train.lr_finder",
    "core.train.inspection",
    "core.jobs.engine",
    "core.__main__",
    "core.ui.explore",
    "core.ui.finder",
    "core.ui.confusion",
    "core.ui.top_losses",
    "app",
)


def test_what_the_web_server_imports_needs_no_torch():
    """One process imports them one after the other and names the first that brings torch along."""
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    if 'torch' in sys.modules: sys.exit(f'{name} imports torch')"
    )
    command = [sys.executable, "-c", code, *FREE_OF_TORCH]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
