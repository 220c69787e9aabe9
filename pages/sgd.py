"""Gradient descent: choose how it walks, say what will happen, watch it, read what came of it."""

from core.ui import page, sgd

page.begin("sgd")
sgd.show()
page.explain("sgd", source="core.sgd.regression:descend")
