"""Where it looks: what in a picture speaks for a class, what it is among, and what the network answers to."""

from core.ui import looks, page

page.begin("where_it_looks", "Where it looks")
looks.show()
