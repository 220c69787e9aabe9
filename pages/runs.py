"""Runs: choose some, lay them over one another, read what is different."""

from core.train.compare import differences
from core.ui import page, runs

page.begin("runs", "Compare your runs")
runs.show()
page.challenge("runs")
page.explain("runs", source=differences)
