"""Home: a model answers at once, three doors lead on, and the way through the lessons."""

import streamlit as st

from core.ui import answers, doors, journey, page

page.begin("home", "Which bear is it?")
answers.hero()
for column, door in zip(st.columns(3), doors.doors(), strict=True):
    with column, st.container(key=f"card-{door.name}", height="stretch"):
        st.markdown(door.words)
        if st.button(door.label, key=f"home.{door.name}", type=door.kind, icon=door.icon, width="stretch"):
            door.enter()
journey.show()
page.challenge("home")
page.explain("home", source="core.deploy.predictor:Predictor._predict_one")
