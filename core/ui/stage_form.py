"""Own stages: a list that can be added to, put in order and edited; stages, or the sentence about what is wrong, out.

What is edited lies in a slot as plain values, so that it survives a change of pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from core.errors import SettingsError
from core.plots import style
from core.plots.style import counted, rate
from core.settings import AUGMENT_PRESETS, BALANCES, PRECISIONS, STAGES_MAX, Stage, stage_from_record
from core.text import read
from core.train.phases import EPOCHS_MAX, Phase, written
from core.train.schedules import SCHEDULES, check_options, options_of
from core.ui import forms, page, state
from core.workspace import new_id

SLOT = "stages"
LEARNS = {0: "all layers", 1: "late layers and head", -1: "the head alone"}
RATES = ("one rate", "a slice", "the finder")
AUGMENTS = {"none": "none", "photos": "photos", "top_down": "from above"}
BALANCED = {"none": "as they are", "weights": "weighted", "oversample": "shown more often"}
DATA = {"all": "all pictures", "mistakes": "the set of mistakes"}
SCHEDULE_TITLES = {
    "one_cycle": "one-cycle",
    "sgdr": "restarts (SGDR)",
    "flat_cos": "flat, then cosine",
    "painted": "painted by hand",
}
OPTION_TITLES = {
    "div": "Starts at the rate over",
    "div_final": "Ends at the rate over",
    "pct_start": "Turns at (share)",
    "cycle_len": "First cycle (epochs)",
    "cycle_mult": "Each next so many times",
    "lr_min": "Lowest rate",
    "at": "Falls at",
    "factor": "Times",
}
PLACES = (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9)
SMOOTHING_MAX = 0.9
AS_RUN = "as the run"


def take_apart(stages: Sequence[Stage]) -> None:
    """Begin with these stages."""
    state.put(SLOT, [{**asdict(stage), "id": new_id()[:8]} for stage in stages])


def edit() -> tuple[list[Stage], str]:
    """Draw the list; the stages, and what is wrong with the first one that cannot be used ("" when nothing is)."""
    if not state.get(SLOT):
        take_apart((Stage(),))
    stages, problem = [], ""
    for place, record in enumerate(state.get(SLOT)):
        try:
            stages.append(_edited(place, record))
        except SettingsError as error:
            page.show_error(error)
            problem = problem or page.say("train", "stage_wrong", stage=place + 1)
    if len(state.get(SLOT)) < STAGES_MAX:
        st.button("Add a stage", key="stage.add", icon=":material/add:", width="stretch", on_click=_add)
    return stages, problem


def shows(stage: Stage) -> bool:
    """Whether the controls can show all of a stage, whatever wrote it."""
    whole = [stage.epochs, stage.freeze_to, stage.image_size, stage.batch_size]
    numbers = [stage.lr_max, stage.label_smoothing, stage.mixup, stage.weight_decay, stage.dropout]
    if isinstance(stage.lr, tuple):
        numbers.append(stage.lr[0])
    return (
        all(value is None or type(value) is int for value in whole)
        and all(value is None or type(value) in (int, float) for value in numbers)
        and type(stage.find_lr) is bool
        and stage.label_smoothing <= SMOOTHING_MAX
    )


def words(stage: Stage) -> str:
    """A stage in one line: what learns, for how long, at what rate, how and from what."""
    low, high = stage.lr if isinstance(stage.lr, tuple) else (stage.lr, stage.lr)
    rates = rate(high) if low in (None, high) else f"{rate(low)} to {rate(high)}"
    if stage.find_lr:
        rates = "finder" if stage.frozen else f"finder to {rate(high)}"
    learns = LEARNS[-1 if stage.frozen else stage.first_group]
    parts = [learns, counted(stage.epochs, "epoch"), rates, _schedule_title(stage.schedule)]
    if stage.augment != "none":
        parts.append(AUGMENTS[stage.augment])
    if stage.image_size:
        parts.append(f"{stage.image_size} px")
    if stage.data == "mistakes":
        parts.append("mistakes")
    return " · ".join(parts)


def _schedule_title(name: str) -> str:
    return SCHEDULE_TITLES.get(name, name.replace("_", " "))


def _edited(place: int, record: dict[str, Any]) -> Stage:
    """One stage, folded to its line; SettingsError when its values cannot be used."""
    key = f"stage.{record['id']}"
    before = _line(record)
    with st.expander(f"{place + 1} · {before}", key=f"{key}.fold"):
        values = _main(key, record)
        with st.popover("More", width="stretch"):
            values |= _more(key, record)
        _buttons(place, key)
    record.update({name: value for name, value in values.items() if name != "typed"})
    state.put(SLOT, state.get(SLOT))
    record["lr"] = _rates(values["typed"], record)
    stage = stage_from_record({name: value for name, value in record.items() if name not in ("id", "typed")})
    check_options(stage.schedule, stage.options)
    if _line(record) != before:
        st.rerun()  # the folded line was drawn before the change was known
    return stage


def _line(record: dict[str, Any]) -> str:
    try:
        stage = stage_from_record({name: value for name, value in record.items() if name not in ("id", "typed")})
    except SettingsError:
        return read("train", "stage_broken")
    return words(stage)


def _main(key: str, record: dict[str, Any]) -> dict[str, Any]:
    first = -1 if record["freeze_to"] == 2 else record["freeze_to"]
    values: dict[str, Any] = {
        "freeze_to": st.selectbox(
            "What learns", list(LEARNS), list(LEARNS).index(first), format_func=LEARNS.get, key=f"{key}.learns"
        )
    }
    left, right = st.columns(2)
    values["epochs"] = int(left.number_input("Epochs", 1, 1000, record["epochs"], key=f"{key}.epochs"))
    values["augment"] = right.selectbox(
        "Augmentation", AUGMENT_PRESETS, AUGMENT_PRESETS.index(record["augment"]), format_func=AUGMENTS.get,
        key=f"{key}.augment",
    )  # fmt: skip
    low, high = record["lr"] if isinstance(record["lr"], (list, tuple)) else (None, record["lr"])
    way = RATES[2] if record["find_lr"] else RATES[1] if low is not None else RATES[0]
    chosen = left.selectbox("Rate", RATES, RATES.index(way), key=f"{key}.way")
    values["find_lr"] = chosen == RATES[2]
    label = "Rate of the last layers" if chosen != RATES[0] else "Learning rate"
    if values["find_lr"] and values["freeze_to"] == -1:
        label = "Rate if it finds none"
    typed = right.text_input(label, f"{high:g}", key=f"{key}.high")
    low_typed = None
    if chosen == RATES[1]:
        low_typed = right.text_input("Rate of the first layers", f"{low or high / 10:g}", key=f"{key}.low")
    values["typed"] = (low_typed, typed)
    values["schedule"] = st.selectbox(
        "Schedule", list(SCHEDULES), list(SCHEDULES).index(record["schedule"]), format_func=_schedule_title,
        key=f"{key}.schedule",
    )  # fmt: skip
    values["options"] = _options(key, values["schedule"], record)
    return values


def _rates(typed: tuple[str | None, str], record: dict[str, Any]) -> Any:
    """The rates that are typed; what only shows a rate, in few digits, leaves that rate as it is."""
    low, high = record["lr"] if isinstance(record["lr"], (list, tuple)) else (None, record["lr"])
    top = _rate(typed[1], high)
    if record["find_lr"]:
        return (None, top)
    return top if typed[0] is None else (_rate(typed[0], low), top)


def _rate(typed: str, shown: float | None) -> float:
    return shown if shown is not None and typed == f"{shown:g}" else forms.parsed_rate(typed)


def _options(key: str, schedule: str, record: dict[str, Any]) -> dict[str, Any]:
    """What a schedule has besides its rate; only what differs from the usual values is kept."""
    usual = options_of(schedule)
    given = record["options"] if schedule == record["schedule"] else {}
    if schedule == "painted":
        return _knots(key, record, given)
    chosen = {}
    rows = [name for name in usual if isinstance(usual[name], tuple)]  # too wide for a column
    columns = dict(zip([name for name in usual if name not in rows], st.columns(2) * 2, strict=False))
    for name in usual:
        value = _option(
            columns.get(name, st), f"{key}.{schedule}.{name}", OPTION_TITLES[name], usual[name], given.get(name)
        )
        if value != usual[name]:
            chosen[name] = value
    return chosen


def _knots(key: str, record: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Painted knots as they are, and the way to where they are dragged."""
    knots = options_of("painted") | dict(given)
    pairs = zip(knots["places"], knots["heights"], strict=False)
    said = ", ".join(f"{style.share(height)} at {style.share(place)}" for place, height in pairs)
    page.note(page.say("train", "knots", knots=said))
    if st.button("Drag its knots", key=f"{key}.knots", icon=":material/timeline:", width="stretch"):
        phase = Phase("painted", min(EPOCHS_MAX, record["epochs"]), _top(record), knots)
        page.go("schedules", draw="paint", paint=written([phase]))
    return dict(given)


def _top(record: dict[str, Any]) -> float:
    return record["lr"][1] if isinstance(record["lr"], (list, tuple)) else record["lr"]


def _option(place: Any, key: str, title: str, usual: Any, given: Any) -> Any:
    """One option: places in the stage where the usual value is a row of them, a number otherwise."""
    if isinstance(usual, tuple):
        places = sorted({*PLACES, *(usual if given is None else given)})
        return tuple(sorted(place.multiselect(title, places, given or usual, format_func=style.share, key=key)))
    start = usual if given is None else given
    return place.number_input(
        title, value=None if start is None else float(start), format="%g", key=key,
        placeholder="1/1000 of it" if usual is None else None,
    )  # fmt: skip


def _more(key: str, record: dict[str, Any]) -> dict[str, Any]:
    left, right = st.columns(2)

    def open_or(label: str, name: str, values: Sequence[Any], place: Any) -> Any:
        own = [] if record[name] in (None, *values) else [record[name]]
        options = [None, *values, *own]
        return place.selectbox(label, options, options.index(record[name]), format_func=_shown, key=f"{key}.{name}")

    return {
        "image_size": open_or("Image size (pixels)", "image_size", forms.IMAGE_SIZES, left),
        "batch_size": open_or("Batch size (pictures)", "batch_size", (2, 4, *forms.BATCH_SIZES), right),
        "weight_decay": open_or("Weight decay", "weight_decay", (0.0, 0.001, 0.01, 0.05, 0.1, 0.3), left),
        "dropout": open_or("Dropout", "dropout", (0.0, 0.1, 0.25, 0.5, 0.75), right),
        "precision": open_or("Numbers", "precision", PRECISIONS, left),
        "balance": right.selectbox(
            "Unequal classes", BALANCES, BALANCES.index(record["balance"]), format_func=BALANCED.get,
            key=f"{key}.balance",
        ),
        "label_smoothing": left.number_input(
            "Label smoothing", 0.0, SMOOTHING_MAX, float(record["label_smoothing"]), 0.05, key=f"{key}.smoothing",
            format="%g",
        ),
        "mixup": right.number_input("Mixup", 0.0, 10.0, float(record["mixup"]), 0.1, key=f"{key}.mixup", format="%g"),
        "data": left.selectbox(
            "Learns from", list(DATA), list(DATA).index(record["data"]), format_func=DATA.get, key=f"{key}.data"
        ),
    }  # fmt: skip


def _shown(value: Any) -> str:
    return AS_RUN if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _buttons(place: int, key: str) -> None:
    with st.container(horizontal=True):
        st.button("Duplicate", key=f"{key}.copy", icon=":material/content_copy:", on_click=_copy, args=(place,))
        st.button(
            "Up", key=f"{key}.up", icon=":material/arrow_upward:", on_click=_up, args=(place,), disabled=not place
        )
        only = len(state.get(SLOT)) == 1
        st.button(
            "Delete", key=f"{key}.delete", icon=":material/delete:", on_click=_delete, args=(place,), disabled=only
        )


def _add() -> None:
    """A stage like the last one, with all layers at a tenth of its rate."""
    records = state.get(SLOT)
    last = stage_from_record({name: value for name, value in records[-1].items() if name not in ("id", "typed")})
    made = Stage(epochs=last.epochs, lr=(last.lr_max / 1000, last.lr_max / 10), freeze_to=0, augment="photos")
    state.put(SLOT, [*records, {**asdict(made), "id": new_id()[:8]}])


def _copy(place: int) -> None:
    records = state.get(SLOT)
    twin = {**records[place], "options": dict(records[place]["options"]), "id": new_id()[:8]}
    state.put(SLOT, [*records[: place + 1], twin, *records[place + 1 :]][:STAGES_MAX])


def _up(place: int) -> None:
    records = list(state.get(SLOT))
    records[place - 1], records[place] = records[place], records[place - 1]
    state.put(SLOT, records)


def _delete(place: int) -> None:
    records = state.get(SLOT)
    state.put(SLOT, [*records[:place], *records[place + 1 :]])


def names(stages: Sequence[Stage]) -> list[str]:
    """Short names of stages for a figure: "1 the head alone", "2 all layers"."""
    return [f"{place} {LEARNS[-1 if stage.frozen else stage.first_group]}" for place, stage in enumerate(stages, 1)]
