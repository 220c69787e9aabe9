"""The classes of a set, one row each: what is done to one in, a new version of the set out. All can be taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.data.classes import (
    class_table,
    create_class,
    delete_class,
    disable_class,
    enable_class,
    merge_classes,
    near_equal,
    rename_class,
)
from core.data.table import Dataset
from core.plots.style import esc
from core.text import read
from core.ui import binned, dialogs, page, state

AT_ONCE, NEAR_AT_ONCE = 10, 3
ACTIONS: Mapping[str, str] = {
    "bring": ":material/add_a_photo: Bring pictures",
    "rename": ":material/edit: Rename",
    "merge": ":material/merge: Merge into another",
    "off": ":material/visibility_off: Switch off",
    "on": ":material/visibility: Switch on",
    "delete": ":material/delete: Delete",
}
VERBS: Mapping[str, Callable[[Dataset, str], object]] = {
    "off": disable_class,
    "on": enable_class,
    "delete": delete_class,
}


def show(dataset: Dataset) -> None:
    """A new class, names that look alike, every class with its counts and what can be done to it, and the bin."""
    table = class_table(dataset)
    _near(dataset, table)
    wanted = _new_or_find(dataset, len(table))
    rows = table[[wanted in label.casefold() for label in table["label"]]]
    if table.empty:
        page.see(read("build", "no_classes"), "attention")
    elif rows.empty:
        page.note(page.say("build", "none_found", wanted=wanted))
    _rows(dataset, rows, int(table["kept"].max()) if len(table) else 0)
    binned.show(dataset)
    _questions(dataset, list(table["label"]))


def _new_or_find(dataset: Dataset, count: int) -> str:
    """A box for a new class and, beside many classes, one to find some; what somebody looks for, in small letters."""
    left, right = st.columns([1.2, 1], gap="medium")
    with left, st.form("classes.new", border=False, clear_on_submit=True):
        with st.container(horizontal=True, wrap=False):
            typed = _boxed("New class", "Name of a new class", "classes.name")
            pressed = st.form_submit_button("Create", key="classes.create", icon=":material/add:")
        if pressed and typed.strip():
            create_class(dataset, typed)
            st.rerun()
    if count <= AT_ONCE:
        return ""
    with right:
        return _boxed("Find a class", "Find a class", "classes.find").strip().casefold()


def _boxed(label: str, placeholder: str, key: str) -> str:
    return st.text_input(label, placeholder=placeholder, key=key, max_chars=64, label_visibility="collapsed")


def _near(dataset: Dataset, table: pd.DataFrame) -> None:
    """Names that are probably one class, each group with one button that makes them one."""
    sizes = dict(zip(table["label"], table["kept"] + table["off"], strict=True))
    for group in near_equal(table["label"])[:NEAR_AT_ONCE]:
        into = max(group, key=lambda label: (sizes[label], label))
        olds = [label for label in group if label != into]
        with st.container(horizontal=True, vertical_alignment="center", key=f"near-{_id(into)}"):
            page.see(page.say("build", "near", names=" and ".join(f"“{label}”" for label in group)), "attention")
            st.button(
                page.say("build", "near_merge", label=into), key=f"classes.near.{_id(into)}", icon=":material/merge:",
                on_click=_merge, args=(dataset, olds, into),
            )  # fmt: skip


def _merge(dataset: Dataset, olds: list[str], into: str) -> None:
    with page.boundary():
        merge_classes(dataset, olds, into)


def _id(label: str) -> str:
    """A class in a widget's key: its name may hold anything."""
    return hashlib.sha256(label.encode()).hexdigest()[:12]


def _rows(dataset: Dataset, rows: pd.DataFrame, largest: int) -> None:
    pages = -(-len(rows) // AT_ONCE)
    first = AT_ONCE * (st.pagination(pages, key="classes.page") - 1) if pages > 1 else 0
    for row in rows.iloc[first : first + AT_ONCE].to_dict("records"):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"class-{_id(row['label'])}"):
            st.html(_row(row, largest))
            _menu(dataset, row)


def _row(row: Mapping[str, Any], largest: int) -> str:
    train, valid = row["train"], row["valid"]
    bars = "".join(f'<i style="width:{100 * count / max(1, largest):.1f}%"></i>' for count in (train, valid))
    off = " off" if row["off"] and not row["kept"] else ""
    return (
        f'<section class="class-row slim{off}"><header><b>{esc(row["label"])}</b><span>{_counted(row)}</span></header>'
        f'<div class="balance" role="img" aria-label="{train} training, {valid} validation pictures">{bars}</div>'
        "</section>"
    )


def _counted(row: Mapping[str, Any]) -> str:
    if row["kept"]:
        more = f", {row['off']:,} switched off" if row["off"] else ""
        return f"{row['train']:,} to learn from, {row['valid']:,} for the exam{more}"
    return f"switched off: {row['off']:,} pictures wait" if row["off"] else "no pictures yet"


def _menu(dataset: Dataset, row: Mapping[str, Any]) -> None:
    label, key = row["label"], f"classes.menu.{_id(row['label'])}"
    left_out = {"off"} if not row["kept"] else {"on"} if not row["off"] else set()
    left_out |= {"on"} if not row["off"] else set()
    st.menu_button(
        f"Change {esc(label)}", [action for action in ACTIONS if action not in left_out],
        format_func=ACTIONS.get, key=key, icon=":material/more_vert:", type="tertiary", on_click=_act,
        args=(dataset, label, key),
    )  # fmt: skip


def _act(dataset: Dataset, label: str, key: str) -> None:
    """Do what was chosen in a class's menu, or ask what is needed for it first."""
    action = st.session_state[key]
    if action == "bring":
        for slot, value in (("part", "bring"), ("label", label), ("way", "files")):
            state.to_address(slot, value)
    elif action in VERBS:
        with page.boundary():
            VERBS[action](dataset, label)
    else:
        dialogs.ask(action, label)


def _questions(dataset: Dataset, labels: list[str]) -> None:
    if (label := dialogs.asked("rename")) in labels:
        dialogs.show(f"Rename {esc(label)}", partial(_ask_name, dataset, label, labels))
    elif (label := dialogs.asked("merge")) in labels:
        dialogs.show(f"Merge {esc(label)} into another class", partial(_ask_target, dataset, label, labels))


def _ask_name(dataset: Dataset, label: str, labels: list[str]) -> None:
    new = st.text_input("New name", value=label, key="classes.rename", max_chars=64)
    if new != label and new.strip() in labels:
        page.see(page.say("build", "becomes_one", label=new.strip()), "attention")
    dialogs.answer("Rename", partial(rename_class, dataset, label, new), key="classes.rename.do")


def _ask_target(dataset: Dataset, label: str, labels: list[str]) -> None:
    others = [other for other in labels if other != label]
    into = st.selectbox("Into", others, index=None, placeholder="Choose a class", key="classes.into")
    page.note(read("build", "merge"))
    dialogs.answer("Merge", partial(_merge_into, dataset, label, into), key="classes.merge.do", disabled=into is None)


def _merge_into(dataset: Dataset, label: str, into: str | None) -> None:
    if into is not None:
        merge_classes(dataset, [label], into)
