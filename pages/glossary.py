"""Words: every term of the field in a sentence or two, with the pages that use it."""

from core.text.glossary import linked
from core.ui import glossary, page

page.begin("glossary", "Words")
glossary.show()
page.challenge("glossary")
page.explain("glossary", source=linked)
