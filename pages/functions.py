"""Fit a curve: too little, about right and too much; hinges that add up to anything; and a target of your own."""

from core.ui import functions, page

page.begin("functions")
functions.show()
page.explain("functions", source="core.sgd.polynomials:fit_polynomial")
page.next_step("Watch it happen in a real training", "diagnose", key="functions.next", kind="secondary")
