"""Find a rate: let a short test run, read its curve, pick a rate and take it along to Train."""

import streamlit as st

from core.ui import finder, finder_form, forms, page, state

page.begin("lr_finder", "Find a learning rate")
finder.follow_link()
dataset = page.require_dataset("lr_finder")
run = finder.current(dataset)
if run is not None and not run.ended:
    finder.show_running(run)
else:
    left, right = st.columns([1, 2.1], gap="large")
    with left:
        dataset = forms.dataset(state.datasets(), dataset, key="finder.dataset")
        page.require_classes(dataset)
        request = finder_form.choose(dataset)
        pressed = st.button(
            "Find a rate", key="finder.start", type="primary", icon=":material/play_arrow:", width="stretch"
        )
    if pressed:
        finder.start(request)
    with right:
        if run is None:
            finder.show_example()
        else:
            finder.show_curve(run, dataset)
    if run is not None:
        finder.show_words(run, dataset)
page.challenge("lr_finder")
page.explain("lr_finder", source="core.train.lr_finder:_climb")
