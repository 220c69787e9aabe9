"""Predict: choose a model, show it a picture, read the answer."""

import streamlit as st

from core.ui import answers, forms, models, page, pictures, sharing, state

page.begin("predict", "Show it a picture")
model = answers.chosen_model()
left, right = st.container(key="predict-main").columns([1, 2], gap="large")
with left:
    model = forms.model(models.list_models(state.workspace()), model)
    brought = pictures.brought()
    threshold = forms.threshold(answers.SURE)
    sharing.card(model, threshold)
with right:
    answers.show_all(model, brought, threshold)
page.challenge("predict")
page.explain("predict", source="core.deploy.predictor:Predictor._probabilities")
