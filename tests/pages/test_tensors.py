"""The page of tensors, part by part, on the numbers of a real model; hostile addresses; a picture of one's own."""

import numpy as np
import pytest

from core.ui import tensors
from tests.ui.support import open_page, traced, words


@pytest.mark.parametrize("part", tensors.PARTS)
def test_every_part_opens_cold(part):
    app = open_page("tensors", part=part)
    assert not app.exception and not app.error and "Try this" in words(app)


@pytest.mark.parametrize("part", ["zzz", "<b>", ""])
def test_an_unknown_part_is_the_first(part):
    app = open_page("tensors", part=part, side="999999", channel="ultraviolet", case="no")
    assert not app.exception and "All there is" in words(app)


def test_eighteen_pixels_are_324_numbers(lab):
    said = words(open_page("tensors", side="18"))
    assert said.count("<td") == 324 and "18 × 18 = 324 numbers for red, 972" in said


def test_a_rank_for_each_of_five(lab):
    said = words(open_page("tensors", part="ranks"))
    assert [f'class="rank">{rank}<' in said for rank in range(5)] == [True] * 5
    assert "(6, 3, 32, 32)" in said and "(32, 32)" in said and "18,432 numbers" in said


def test_the_answer_is_softmax_of_the_scores(lab):
    said = words(open_page("tensors", part="answer"))
    scores = traced([b""] * 6).scores[0]
    share = np.exp(scores) / np.exp(scores).sum()
    assert f"{100 * share.max():.0f} %" in said and "arg max" in said
    assert all(f">{score:.2f}<" in said for score in scores)


def test_both_products_are_timed_here(lab, monkeypatch):
    from core.sgd import products

    found = products.Timed(64, 512, 3, 0.017, 6e-6)
    monkeypatch.setattr(products, "timed", lambda *sizes: found)
    app = open_page("tensors", part="product")
    app.button(key="tensors.time").click().run()
    assert "17 ms" in words(app) and "6 µs" in words(app) and "2,833 times as long" in words(app)


def test_the_real_layer_adds_up(lab):
    from core.ui.tensor_product import COLUMNS, _layer
    from core.ui.tensors import Numbers

    made = traced([b""] * 6)
    data = _layer(Numbers(None, made, tuple("abcdef"), (None,) * 6))
    shown = np.array(data["x"]) @ np.array(data["a"]) + np.array(data["rest"])
    assert shown == pytest.approx(np.array(data["product"])) and data["left_out"] == 512 - COLUMNS
    assert np.array(data["product"]) == pytest.approx(made.scores[:5])
