"""Build: bring pictures from a sample, a folder or a zip, and read the report on what came of them."""

import streamlit as st

from core.data.split import stratified_split
from core.ui import forms, live, page, report, sources, state

page.begin("build", "Build a data set")
job = live.data_result(live.current(("import", "sample"), slot="job"))
found = state.datasets()
if job is not None:
    live.data_job(job)
elif found:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        chosen = forms.dataset(found, state.dataset(), key="build.dataset")
    with right:
        page.next_step("Train", "train", key="build.train")
    report.show(chosen)
    page.challenge("build")
    with st.expander("Add another data set", icon=":material/add:"):
        sources.choose()
else:
    sources.choose()
page.explain("build", source=stratified_split)
