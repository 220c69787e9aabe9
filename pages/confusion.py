"""Confusion: who is taken for whom, class by class, how sure the model is, and what the numbers are."""

from core.ui import confusion as view
from core.ui import page

page.begin("confusion", "Who is taken for whom?")
reading, part = view.show()
page.challenge(part.page, f"try{part.words}")
page.explain(part.page, source=part.source, section=f"behind{part.words}")
view.next_step(reading)
