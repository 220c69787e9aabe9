"""Train: choose a recipe, see the plan, watch the run, read what came of it."""

import streamlit as st

from core.train.schedules import one_cycle
from core.ui import data_guards, forms, live, page, plan, recipe, state, training

page.begin("train", "Train a model")
run = live.current(("train",), slot="run")
if run is not None:
    training.show(run)
else:
    dataset = page.require_dataset("train")
    left, right = st.columns([1, 2.1], gap="large")
    with left:
        dataset = forms.dataset(state.datasets(), dataset, key="train.dataset")
        page.require_classes(dataset)
        choice = recipe.choose(dataset)
        pressed = choice.place.button(
            "Train",
            key="train.start",
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            disabled=choice.settings is None,
        )
    if pressed:
        training.start(dataset, choice.settings, choice.preset, recipe.begins(choice))
    with right:
        data_guards.warn(dataset)
        if choice.settings is None:
            page.see(choice.problem, "attention")
        else:
            plan.show(dataset, choice.settings)
        data_guards.show(dataset)
page.challenge("train")
page.explain("train", source=one_cycle)
