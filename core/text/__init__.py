"""The words of every page: a page's name and a section's name in, Markdown out.

A page's words lie in `core/text/<page>.md`; a section begins with `## name` and ends where the next one begins. What
stands above the first section is a note for the writer.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


def read(page: str, section: str) -> str:
    """The Markdown of one section; KeyError names the page and the section when there is none."""
    sections = _sections(page)
    if section not in sections:
        raise KeyError(f"{page}.md has no section {section!r}; it has {', '.join(sections)}")
    return sections[section]


def sections(page: str) -> tuple[str, ...]:
    """The names of a page's sections, in the order in which they are written."""
    return tuple(_sections(page))


@cache
def _sections(page: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (FOLDER / f"{page}.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            lines = found.setdefault(line[3:].strip(), [])
        else:
            lines.append(line)
    return {name: "\n".join(body).strip() for name, body in found.items()}
