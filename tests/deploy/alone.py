"""An environment for a bundle: a fresh one, in which nothing but the packages of its README can be imported."""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

INSTALL = re.compile(r"^pip install (.+)$", re.MULTILINE)


def listed(folder):
    """The packages that the README of an unpacked bundle asks for."""
    [line] = INSTALL.findall((folder / "README.md").read_text(encoding="utf-8"))
    return line.split()


def needed(names):
    """Those packages and all that they need themselves, as pip would bring them."""
    found, waiting = {}, list(names)
    while waiting:
        name = waiting.pop().lower()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # needed on other systems only, or an option that nobody asked for
        rules = [Requirement(text) for text in found[name].requires or ()]
        waiting += [rule.name for rule in rules if rule.marker is None or rule.marker.evaluate({"extra": ""})]
    return found.values()


def environment(home, names):
    """The Python of a fresh virtual environment at `home` with `names` in it, linked instead of downloaded again."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True, timeout=60)
    [site] = home.glob("lib/python*/site-packages")
    for package in needed(names):
        for top in {file.parts[0] for file in package.files or () if file.parts[0] != ".."}:
            source, link = Path(package.locate_file(top)), site / top
            if source.exists() and not link.exists():
                link.symlink_to(source)
    return home / "bin" / "python"
