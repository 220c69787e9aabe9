"""One kind of problem as a card: its pictures in; how many, what it means, the pictures and what can be done, out.

Whatever is done here is one edit: it can be taken back as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd
import streamlit as st

from core.data import edits
from core.data.edits import Edited
from core.data.problems import disagreeing, one_side, spares
from core.data.quality import Check
from core.data.table import Dataset
from core.plots.style import esc
from core.text import read
from core.ui import gallery, page, state
from core.ui.gallery import Shot

SHOWN, GROUPS_SHOWN, CLASSES_SHOWN, TO_CHOOSE = 12, 8, 3, 12
OPEN, MARKED, DONE = "explore.open", "explore.marked", "explore.done"  # slots: check, items of a set, last edit


def show(dataset: Dataset, check: Check, found: pd.DataFrame) -> None:
    """The card of one check; `found` are its issues that still stand."""
    with st.container(key=f"card-problem-{check.name}"):
        count = counted(found)
        what = ("group" if is_grouped(found) else "picture") + ("" if count == 1 else "s")
        st.html(_head(check, count, what))
        if state.get(OPEN) == check.name:
            _choose(dataset, check.name, found)
        elif is_grouped(found):
            st.html(_groups(dataset, found))
            _group_actions(dataset, check.name, found)
        else:
            st.html(_pictures(dataset, check.name, found))
            _picture_actions(dataset, check.name, found)


def is_grouped(found: pd.DataFrame) -> bool:
    """Whether the pictures belong together in groups."""
    return bool((found["group"] != "").any())


def counted(found: pd.DataFrame) -> int:
    """How many groups were found, or how many pictures where there are none."""
    return int(found["group"].nunique() if is_grouped(found) else found["item"].nunique())


def _head(check: Check, count: int, what: str) -> str:
    meaning = gallery.inline(read("explore", f"check_{check.name}"))
    return (
        f'<div class="problem"><p><b>{count:,}</b> {what}</p><div><h4>{esc(check.title)}</h4>'
        f'<p class="note">{meaning} <span class="how">{esc(check.explanation)}</span></p></div></div>'
    )


# --- what was found


def _pictures(dataset: Dataset, check: str, found: pd.DataFrame) -> str:
    rows = found.head(SHOWN)
    shown = "".join(_picture(dataset, row) for row in rows.itertuples())
    return f'<div class="found {check}">{shown}</div>{_more(len(found) - len(rows), "pictures")}'


def _picture(dataset: Dataset, row: object) -> str:
    name, label = esc(row.original_name), esc(row.label)
    side = "exam" if row.split == "valid" else "learn"
    source = gallery.thumb_url(row.file, dataset.id)
    said = f": {esc(row.words)}" if hasattr(row, "words") else ""
    return (
        f'<figure title="{name}{said}"><img src="{source}" alt="{name}" loading="lazy">'
        f'<figcaption><i class="side {side}"></i>{label}</figcaption></figure>'
    )


def _groups(dataset: Dataset, found: pd.DataFrame) -> str:
    names = list(dict.fromkeys(found["group"]))
    boxes = []
    for name in names[:GROUPS_SHOWN]:
        rows = found[found["group"] == name]
        shown = "".join(_picture(dataset, row) for row in rows.head(SHOWN).itertuples())
        boxes.append(f'<div class="like">{shown}</div>')
    return f'<div class="likes">{"".join(boxes)}</div>{_more(len(names) - len(boxes), "groups")}'


def _more(count: int, what: str) -> str:
    return f'<p class="note">and {count:,} more {what}</p>' if count > 0 else ""


def show_classes(dataset: Dataset, check: Check, said: Mapping[str, list[str]], items: pd.DataFrame) -> None:
    """The card of what was said about whole classes: sentences, pictures of the class and pictures of the others."""
    with st.container(key=f"card-problem-{check.name}"):
        st.html(_head(check, len(said), "class" if len(said) == 1 else "classes"))
        for label in list(said)[:CLASSES_SHOWN]:
            inside = items["label"] == label
            page.see(" ".join(esc(words) for words in said[label]), "attention")
            st.html(f'<div class="against">{_some(dataset, items[inside])}{_some(dataset, items[~inside])}</div>')
            page.note(page.say("explore", "shortcut_how", label=label))
        if st.button("Bring pictures", key="explore.shortcut.bring", icon=":material/add_photo_alternate:"):
            page.go("build", dataset=dataset.id, part="bring")


def _some(dataset: Dataset, rows: pd.DataFrame) -> str:
    """A few pictures, the same ones every time."""
    some = rows.sample(min(SHOWN // 2, len(rows)), random_state=0)
    return f'<div class="found">{"".join(_picture(dataset, row) for row in some.itertuples())}</div>'


# --- what can be done


def _picture_actions(dataset: Dataset, check: str, found: pd.DataFrame) -> None:
    items = list(found["item"].head(SHOWN))
    with st.container(horizontal=True):
        _act(
            f"Delete these {len(items)}" if len(items) > 1 else "Delete it", ":material/delete:",
            partial(edits.delete, dataset, items), key=f"explore.delete.{check}",
        )  # fmt: skip
        _choose_button(check)


def _group_actions(dataset: Dataset, check: str, found: pd.DataFrame) -> None:
    extra, moves, differ = spares(found), one_side(found), disagreeing(found)
    with st.container(horizontal=True):
        if extra:
            _act(
                f"Keep one of each, delete {len(extra)}", ":material/filter_1:", partial(edits.delete, dataset, extra),
                key=f"explore.one.{check}",
            )  # fmt: skip
        if moves:
            words = f"put {len(moves)} beside their like"
            _act(
                f"Put each group on one side, move {len(moves)}", ":material/swap_horiz:",
                partial(edits.place, dataset, moves, words=words), key=f"explore.side.{check}",
            )  # fmt: skip
        _choose_button(check)
    if differ:
        page.see(page.say("explore", "two_labels", count=differ), "attention")


def _choose_button(check: str) -> None:
    st.button(
        "Choose which", key=f"explore.choose.{check}", icon=":material/check_box:", type="tertiary", on_click=_open,
        args=(check,),
    )  # fmt: skip


def _act(label: str, icon: str, act: Callable[[], Edited], *, key: str) -> None:
    st.button(label, key=key, icon=icon, on_click=_do, args=(act,))


def _do(act: Callable[[], Edited]) -> None:
    """Make an edit, and remember it for the line that offers to take it back."""
    with page.boundary():
        made = act()
        words = edits.history(made.dataset)[0].words
        after = {"dataset": made.dataset.id, "version": made.dataset.version}
        state.put(DONE, {**after, "words": words, "skipped": len(made.skipped)})
        state.put(MARKED, None)


def say_done(dataset: Dataset) -> None:
    """What was done here last, with the way to take it back, for as long as nothing else was done since."""
    done = state.get(DONE)
    if not done or (done["dataset"], done["version"]) != (dataset.id, dataset.version):
        return
    section = "done_skipped" if done["skipped"] else "done"
    left, right = st.columns([4, 1], vertical_alignment="center")
    with left:
        page.see(page.say("explore", section, words=_sentence(done["words"]), skipped=done["skipped"]))
    with right:
        st.button("Undo", key="explore.undo", icon=":material/undo:", width="stretch", on_click=_undo, args=(dataset,))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _undo(dataset: Dataset) -> None:
    with page.boundary():
        edits.undo(dataset)
        state.put(DONE, None)


# --- choosing one by one


def _open(check: str) -> None:
    state.put(OPEN, check)
    state.put(MARKED, None)


def _close() -> None:
    state.put(OPEN, None)
    state.put(MARKED, None)


def _choose(dataset: Dataset, check: str, found: pd.DataFrame) -> None:
    """Twelve at a time, each of which a click marks for the bin."""
    pages = -(-len(found) // TO_CHOOSE)
    first = TO_CHOOSE * (st.pagination(pages, key=f"explore.page.{check}") - 1) if pages > 1 else 0
    rows = found.iloc[first : first + TO_CHOOSE]
    known = set(found["item"])
    marked = [item for item in _marked(dataset) if item in known]
    shots = [Shot(gallery.thumb_url(row.file, dataset.id), _spoken(row)) for row in rows.itertuples()]
    items = list(rows["item"])
    _mark_style([place for place, item in enumerate(items) if item in marked])
    gallery.picks(shots, key="problem", chosen=None, on_pick=lambda place: _toggle(dataset, items[place]))
    with st.container(horizontal=True):
        label = f"Delete {len(marked)} chosen" if marked else "Click those that shall go"
        st.button(
            label, key="explore.delete.chosen", icon=":material/delete:", type="primary", disabled=not marked,
            on_click=_do, args=(partial(edits.delete, dataset, marked),),
        )  # fmt: skip
        st.button("Done", key="explore.choose.done", type="tertiary", on_click=_close)


def _spoken(row: object) -> str:
    return f"{row.original_name} ({row.label})"


def _mark_style(places: list[int]) -> None:
    rules = ", ".join(f".st-key-pick-problem-{place} button" for place in places)
    if rules:
        after = rules.replace(" button", " button::after")
        st.html(
            f"<style>{rules} {{ border-color: #d55e00 !important; }} {after} {{ content: '✕' !important; }}</style>"
        )


def _marked(dataset: Dataset) -> list[str]:
    """The items that are marked; items of another set have the same names and do not count."""
    found = state.get(MARKED) or {"dataset": "", "items": []}
    return list(found["items"]) if found["dataset"] == dataset.id else []


def _toggle(dataset: Dataset, item: str) -> None:
    marked = _marked(dataset)
    items = [other for other in marked if other != item] if item in marked else [*marked, item]
    state.put(MARKED, {"dataset": dataset.id, "items": items})
