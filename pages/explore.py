"""Explore: what is in a data set, how the model sees it, what augmentation does, and what may be wrong with it."""

from core.ui import explore, page

page.begin("explore", "Look at your data")
dataset, part = explore.choose(page.require_dataset("explore"))
part.show(dataset, explore.rows(dataset))
page.challenge("explore", f"try{part.words}")
page.explain("explore", source=part.source, section=f"behind{part.words}")
explore.next_step(dataset)
