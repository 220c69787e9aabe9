"""The exam of a set: another share or seed in, what that would change; and, once it is wanted, the new split out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from core.data.copies import Copies, copies_in, notes_on
from core.data.edits import resplit
from core.data.split import TRAIN, VALID, side_changes
from core.data.table import Dataset
from core.plots.style import counted, esc, share
from core.text import read
from core.ui import gallery, page, state

SHARES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
SHOWN, TABLE_PX = 12, 250


def show(dataset: Dataset) -> None:
    """How the set is split now, what another share or seed would change, and the button that does it."""
    kept = state.kept(dataset)
    if kept.empty:
        page.see(read("build", "no_pictures"), "attention")
        return
    exam = int((kept["split"] == VALID).sum())
    said = {"learn": counted(len(kept) - exam, "picture"), "exam": f"{exam:,}", "share": share(exam / len(kept))}
    page.see(page.say("build", "split", **said))
    if len(kept) == len(dataset.classes):
        page.note(read("build", "split_too_few"))
        return
    copies = _copies(dataset, kept)
    for note in notes_on(copies, list(kept["split"])):
        page.note(esc(note))
    given = bool(_changes(kept, copies, dataset.valid_share, dataset.seed))
    if given and st.toggle("Keep these sides", value=True, key=f"split.keep.{dataset.id}"):
        page.note(read("build", "split_given"))
        return
    wanted, seed = _choose(dataset)
    changes = _changes(kept, copies, wanted, seed)
    if not changes:
        page.note(read("build", "split_same"))
        return
    _said(changes)
    st.button(
        "Use this split", key="split.use", type="primary", icon=":material/call_split:", on_click=_use,
        args=(dataset, wanted, seed),
    )  # fmt: skip
    _preview(dataset, kept, changes)


def known_copies(dataset: Dataset) -> Copies | None:
    """The near-copies in a set as it is, where this session has looked for them; None where it has not."""
    version, found = state.get("copies", ("", None))
    return found if version == dataset.version else None


def _copies(dataset: Dataset, kept: pd.DataFrame) -> Copies:
    """The near-copies in a set, found once for each version of it."""
    found = known_copies(dataset)
    if found is None or len(found.groups) != len(kept):
        with st.spinner(read("build", "split_copies")):
            found = copies_in(dataset, kept)
        state.put("copies", (dataset.version, found))
    return found


def _changes(kept: pd.DataFrame, copies: Copies, wanted: float, seed: int) -> dict[int, str]:
    labels, sides = list(kept["label"]), list(kept["split"])
    return side_changes(labels, sides, valid_share=wanted, seed=seed, groups=copies.groups)


def _choose(dataset: Dataset) -> tuple[float, int]:
    shares = sorted({*SHARES, dataset.valid_share})
    left, right = st.columns(2)
    wanted = left.select_slider(
        "For the exam", shares, dataset.valid_share, format_func=share, key=f"split.share.{dataset.id}"
    )
    seed = right.number_input("Seed", 0, 2**32 - 1, dataset.seed, key=f"split.seed.{dataset.id}")
    return wanted, int(seed)


def _said(changes: Mapping[int, str]) -> None:
    into = Counter(changes.values())
    values = {"count": counted(len(changes), "picture"), "exam": into[VALID], "learn": into[TRAIN]}
    page.see(page.say("build", "split_moves", **values), "attention")
    page.note(read("build", "split_warning"))


def _preview(dataset: Dataset, kept: pd.DataFrame, changes: Mapping[int, str]) -> None:
    """Some of the pictures that change sides, and what that makes of each class."""
    left, right = st.columns(2, gap="medium")
    for place, side in ((left, VALID), (right, TRAIN)):
        rows = kept.iloc[[row for row, new in changes.items() if new == side]]
        with place:
            st.html(f'<p class="picks-title">{read("build", f"split_to_{side}")} ({len(rows):,})</p>')
            st.html(gallery.thumbs(dataset, rows.sample(min(SHOWN, len(rows)), random_state=0)))
    table = per_class(kept, changes)
    height = min(TABLE_PX, 36 * (len(table) + 1) + 2)
    st.dataframe(table, hide_index=True, key="split.table", width="stretch", height=height)


def per_class(kept: pd.DataFrame, changes: Mapping[int, str]) -> pd.DataFrame:
    """One row per class: pictures to learn from and for the exam, now and after `changes` (place -> new side)."""
    then = [changes.get(place, side) for place, side in enumerate(kept["split"])]
    now = pd.crosstab(kept["label"], kept["split"]).reindex(columns=[TRAIN, VALID], fill_value=0)
    new = pd.crosstab(kept["label"], pd.Series(then, index=kept.index)).reindex(columns=[TRAIN, VALID], fill_value=0)
    moved = Counter(kept["label"].iloc[place] for place in changes)
    return pd.DataFrame(
        {
            "class": now.index,
            "exam now": now[VALID].to_numpy(),
            "exam then": new[VALID].to_numpy(),
            "to learn from now": now[TRAIN].to_numpy(),
            "to learn from then": new[TRAIN].to_numpy(),
            "change sides": [moved[label] for label in now.index],
        }
    )


def _use(dataset: Dataset, wanted: float, seed: int) -> None:
    with page.boundary():
        resplit(dataset, valid_share=wanted, seed=seed)
