"""Export: choose a model, take it along as a file, bring one back."""

import streamlit as st

from core.ui import export, page

page.begin("export", "Take your model along")
left, right = st.columns([1, 1.3], gap="large")
with left:
    model = export.choose()
    card = export.card_of(model)
    if card is not None:
        export.take(model, card)
    export.bring()
if card is not None:
    with right:
        export.show_card(card)
page.challenge("export")
page.explain("export", source="core.deploy.tensors_in:read_tensors")
page.next_step("Show it a picture", "predict", key="export.predict", model=model.id)
