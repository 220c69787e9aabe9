"""The words of the field: `glossary.md` in, entries out; and a text in, the same text with its terms linked out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from core.text import read, sections

NO_TERMS = ("goal", "try", "behind", "none", "terms")  # sections of the page itself
ADDRESS = "/glossary?term="
EVERYDAY = {
    "class",
    "label",
    "run",
    "data-set",
    "certainty",
    "probability",
}  # told there, but no links: they are everywhere
_APART = re.compile(r"(```.*?```|`[^`]*`|\$[^$]*\$|\[[^\]]*\]\([^)]*\)|&#\d+;|\*\*[^*]+\*\*|^#+ .*$)", re.DOTALL | re.M)


@dataclass(frozen=True)
class Entry:
    """One term: what it means, its formula in TeX ("" without one), other words for it, pages that use it."""

    term: str
    meaning: str
    formula: str = ""
    also: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """The term as it stands in an address: "learning rate" -> "learning-rate"."""
        return re.sub(r"[^a-z0-9]+", "-", self.term.lower()).strip("-")


@cache
def entries() -> Mapping[str, Entry]:
    """All entries by their slug, in the order of the alphabet."""
    found = [_entry(term) for term in sections("glossary") if term not in NO_TERMS]
    return {entry.slug: entry for entry in sorted(found, key=lambda entry: entry.term.lower())}


def _entry(term: str) -> Entry:
    marked: dict[str, str] = {}
    lines = []
    for line in read("glossary", term).splitlines():
        mark, colon, rest = line.partition(":")
        if colon and mark in ("Formula", "Also", "Pages"):
            marked[mark] = rest.strip()
        else:
            lines.append(line)
    also, pages = (tuple(word.strip() for word in marked.get(name, "").split(",") if word.strip())
                   for name in ("Also", "Pages"))  # fmt: skip
    return Entry(term, " ".join(lines).strip(), marked.get("Formula", ""), also, pages)


def search(wanted: str) -> list[Entry]:
    """The entries whose term or other words hold `wanted`, those that begin with it first; all of them for ""."""
    word = wanted.strip().lower()
    held = [entry for entry in entries().values() if any(word in name.lower() for name in (entry.term, *entry.also))]
    return sorted(held, key=lambda entry: not entry.term.lower().startswith(word))


@cache
def _finder() -> tuple[re.Pattern[str], Mapping[str, str]]:
    """What finds any term or other word, the longest first, and the slug of each in small letters."""
    slugs = {name.lower(): entry.slug for entry in entries().values() for name in (entry.term, *entry.also)}
    words = sorted(slugs, key=len, reverse=True)
    any_of = "|".join(re.escape(word).replace("\\ ", r"\s+") for word in words)  # a line may end inside a term
    return re.compile(rf"(?<![\w-])({any_of})(?![\w-])", re.IGNORECASE), slugs


def terms_in(text: str) -> set[str]:
    """The slugs of all terms that a text uses."""
    pattern, slugs = _finder()
    return {slugs[_plain(found)] for found in pattern.findall(text)}


def _plain(found: str) -> str:
    return " ".join(found.lower().split())


def linked(text: str, *, but: str = "") -> str:
    """Markdown with the first use of every term as a link to the glossary.

    Code, formulas, links, headings and what is bold already are left alone, and so is the term with the slug `but`.
    """
    pattern, slugs = _finder()
    used = {but}

    def link(match: re.Match[str]) -> str:
        slug = slugs[_plain(match[0])]
        if slug in used or slug in EVERYDAY:
            return match[0]
        used.add(slug)
        return f"[{match[0]}]({ADDRESS}{slug})"

    parts = _APART.split(text)
    return "".join(part if place % 2 else pattern.sub(link, part) for place, part in enumerate(parts))
