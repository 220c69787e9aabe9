"""Train: choose settings, see the plan, watch the run, read what came of it."""

import streamlit as st

from core.plots.training import plan_figure, planned
from core.train.schedules import one_cycle
from core.ui import forms, live, page, state, training

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
        settings, preset = forms.training()
        start = st.button("Train", key="train.start", type="primary", icon=":material/play_arrow:", width="stretch")
    if start:
        training.start(dataset, settings, preset)
    with right:
        spec = plan_figure(planned(settings.stages), page.current_look())
        st.echarts_chart(spec, key="train.plan", height=380, alt="The planned learning rate and momentum.")
        page.see(page.say("train", "plan"))
page.challenge("train")
page.explain("train", source=one_cycle)
