"""Predict: choose a model, show it a picture, read the answer."""

import streamlit as st

from core.ui import answers, forms, models, page, state

page.begin("predict", "Show it a picture")
model = answers.chosen_model()
left, right = st.columns([1, 2], gap="large")
with left:
    model = forms.model(models.list_models(state.workspace()), model)
    pictures = forms.pictures()
    threshold = forms.threshold(answers.SURE)
with right:
    answers.show_all(model, pictures, threshold)
page.challenge("predict")
page.explain("predict", source="core.deploy.predictor:Predictor._probabilities")
