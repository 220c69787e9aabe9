"""The picture of the network: every block once, frozen ones marked by more than a colour, safe for a page."""

import math

import pytest

from core.plots.network import network_html, weights_in_words
from core.vision.blocks import BODIES, blocks_of


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(("freeze_to", "learning"), [(0, {0, 1, 2}), (1, {1, 2}), (2, {2}), (-1, {2})])
def test_every_block_is_drawn_once_and_frozen_ones_say_so(name, freeze_to, learning):
    blocks = blocks_of(name, 3)
    html = network_html(blocks, freeze_to=freeze_to, rates=(1e-5, 1e-4, 1e-3))
    frozen = sum(block.group not in learning for block in blocks)
    assert html.count("<figure") == len(blocks)
    assert html.count('class="frozen"') == html.count("❄ frozen") == frozen
    assert ("1e-5" in html) is (0 in learning) and "1e-3" in html


def test_how_far_a_block_moved_is_said_with_a_number():
    moved = {"stem": 0.0, "layer1": 0.008, "head": math.inf}
    html = network_html(blocks_of("resnet18", 3), freeze_to=0, rates=(1e-3,), moved=moved)
    assert "moved 0.8 %" in html and "not moved" in html and "lost" in html and html.count("<small>") == 3


def test_weights_are_said_in_few_digits():
    assert [weights_in_words(count) for count in (928, 13_968, 1_318_400)] == ["928", "14 k", "1.3 M"]


def test_a_rate_that_a_finder_will_say_is_no_number_yet():
    html = network_html(blocks_of("resnet18", 3), freeze_to=0, rates=(None, None, 3e-4))
    assert html.count("found then") == 5 and html.count("3e-4") == 1
