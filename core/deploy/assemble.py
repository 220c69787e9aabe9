"""Parts of a script: a name and what a run uses in, Python text out.

A part lies in `script_parts/<name>.py.txt`. Between `#? condition` and `#? end` stand lines that only some runs need;
a condition is made of names, `and`, `or` and `not`. `$name` is filled in. What the lab itself has as a plain function
is not written twice: its own text is taken from the file, without importing it (torch takes seconds).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from string import Template

HERE = Path(__file__).parent / "script_parts"
ROOT = Path(__file__).parents[2]
_MARK = re.compile(r"#\? (.+)")


def part(name: str, uses: Collection[str], values: Mapping[str, str]) -> str:
    """The text of a part with the lines that a run needs and `values` filled in; KeyError for a value that lacks."""
    lines = (HERE / f"{name}.py.txt").read_text(encoding="utf-8").splitlines()
    return Template("\n".join(_chosen(lines, uses))).substitute(values).strip("\n")


def _chosen(lines: list[str], uses: Collection[str]) -> list[str]:
    """The lines outside of all conditions, and inside of those that hold."""
    kept, holds = [], [True]
    for line in lines:
        mark = _MARK.fullmatch(line)
        if mark is None:
            kept += [line] * all(holds)
        elif mark[1] == "end":
            holds.pop()
        else:
            holds.append(_any(mark[1], uses))
    return kept


def _any(condition: str, uses: Collection[str]) -> bool:
    """Whether a condition holds: `a and not b or c`, with `and` before `or`."""
    return any(all(_one(word, uses) for word in choice.split(" and ")) for choice in condition.split(" or "))


def _one(word: str, uses: Collection[str]) -> bool:
    return word.removeprefix("not ") not in uses if word.startswith("not ") else word in uses


def source(module: str, *names: str) -> str:
    """The text of functions and classes of a module, given as "core.vision.augment", with two lines between them."""
    return "\n\n\n".join(_definition(module, name) for name in names)


@cache
def _definition(module: str, name: str) -> str:
    text = _text(module)
    node = next(node for node in ast.parse(text).body if getattr(node, "name", None) == name)
    decorators = [ast.get_source_segment(text, one) for one in getattr(node, "decorator_list", [])]
    made = ast.get_source_segment(text, node) or ""
    told = ast.get_docstring(node, clean=False) or ""
    # what comes after the first paragraph of a description is about the lab
    return "\n".join([*(f"@{one}" for one in decorators), made.replace(told, told.partition("\n\n")[0], 1)])


def entry(module: str, table: str, key: str) -> str:
    """The text of one value of a dictionary in a module: `entry("core.vision.augment", "AUGMENTS", "photos")`."""
    text = _text(module)
    for node in ast.parse(text).body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", None) == table:
            if isinstance(node.value, ast.Dict):
                found = dict(zip(node.value.keys, node.value.values, strict=True))
                return next(
                    ast.get_source_segment(text, value) or ""
                    for name, value in found.items()
                    if isinstance(name, ast.Constant) and name.value == key
                )
    raise KeyError(f"{module} has no dictionary {table}")


@cache
def _text(module: str) -> str:
    return (ROOT / Path(*module.split("."))).with_suffix(".py").read_text(encoding="utf-8")
