"""Tensors: a picture is numbers, and an answer is arithmetic on them."""

from core.ui import page, tensors

page.begin("tensors", "A picture is numbers")
part = tensors.show()
page.challenge("tensors", part.section("try"))
page.explain("tensors", source=part.source, section=part.section("behind"))
tensors.next_step(part)
