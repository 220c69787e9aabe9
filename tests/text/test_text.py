"""The words: every section that the code asks for exists, and says nothing it should not."""

import ast
import re
from pathlib import Path

import pytest

from core.text import FOLDER, read, sections
from core.train.recipes import RECIPES

ROOT = Path(__file__).parents[2]
PAGES = sorted(file.stem for file in FOLDER.glob("*.md"))


def asked_for():
    """Every literal (page, section) that read(...) or say(...) is called with."""
    found = set()
    for file in [*(ROOT / "core/ui").glob("*.py"), *(ROOT / "pages").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
                "read",
                "say",
            ):
                values = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant)]
                if len(values) == 2:
                    found.add(tuple(values))
    return sorted(found)


@pytest.mark.parametrize(("page", "section"), asked_for())
def test_every_section_that_the_code_asks_for_is_written(page, section):
    assert read(page, section)


@pytest.mark.parametrize("preset", RECIPES)
def test_every_preset_is_explained(preset):
    assert read("train", f"preset_{preset}")


def test_a_missing_section_names_what_there_is():
    with pytest.raises(KeyError, match=r"home\.md has no section 'nothing'; it has goal"):
        read("home", "nothing")


@pytest.mark.parametrize("page", PAGES)
def test_words_are_short_and_plain(page):
    goal = read(page, "goal") if "goal" in sections(page) else ""
    assert len(goal) <= 140
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|coming soon|simply|utilize|leverage)\b", text, re.IGNORECASE)
    assert not re.search(r"https?://", text)
