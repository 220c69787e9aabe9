"""Clean: look at the suspects, mark them, apply the marks, train again and compare."""

from core.interpret.label_errors import likely_classes
from core.ui import page, search

page.begin("clean", "Clean your data")
search.show()
page.challenge("clean")
page.explain("clean", source=likely_classes)
