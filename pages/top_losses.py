"""Top losses: the pictures on which the model was furthest off, with what it said and where it looked."""

from core.interpret.metrics import top_losses
from core.ui import page
from core.ui import top_losses as view

page.begin("top_losses", "Where was it furthest off?")
reading = view.show()
page.challenge("top_losses")
page.explain("top_losses", source=top_losses)
view.next_steps(reading)
