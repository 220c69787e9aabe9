"""The page of tensors, part by part, on the numbers of a real model; hostile addresses; a picture of one's own."""

import dataclasses
import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from core.data.table import read_items
from core.sgd import products
from core.ui import cache, models, state, tensor_pixels, tensor_ranks, tensors
from core.ui.tensor_product import COLUMNS, _layer, short
from core.ui.tensor_stretch import grey
from core.ui.tensors import Numbers
from tests.conftest import make_toy
from tests.ui.support import labels, markup, open_page, traced, training_run, words

HOSTILE = ["zzz", "<b>", "", "-1", "٣", "9" * 5000]


def numbers_of(at=0, labels=("grizzly",) + (None,) * 5):
    return Numbers(traced([b""] * 6), tuple("abcdef"), labels, at)


# --- the page


@pytest.mark.parametrize("part", tensors.PARTS)
def test_every_part_opens_cold(lab, part):
    app = open_page("tensors", part=part)
    assert not app.exception and not app.error and "Try this" in words(app)


@pytest.mark.parametrize("part", tensors.PARTS)
def test_every_part_opens_on_a_set_of_one_s_own(lab, part):
    training_run(make_toy(lab.home))
    app = open_page("tensors", part=part, case="layer")
    assert not app.exception and not app.error and "toy" in words(app)


@pytest.mark.parametrize("wanted", HOSTILE)
def test_an_address_that_means_nothing_shows_the_first_part_and_the_whole_picture(lab, wanted):
    app = open_page("tensors", part=wanted, side=wanted, channel=wanted, case=wanted)
    assert not app.exception and not app.error and "324 numbers for each colour" in words(app)


def test_a_foreign_set_in_the_address_is_one_sentence_and_the_bears(lab):
    app = open_page("tensors", dataset="<b>../../etc")
    assert len(app.error) == 1 and "There is no data set" in app.error[0].value
    assert "bears that come with Bearings" in words(app) and "<b>../" not in markup(app)


def test_each_part_leads_to_the_next(lab):
    names = list(tensors.PARTS)
    for here, there in zip(names, names[1:], strict=False):
        app = open_page("tensors", part=here)
        app.button(key="tensors.next").click().run()
        assert app.query_params["part"] == there


# --- the pictures


def test_without_a_set_the_bears_are_there(lab):
    assert "The bears that come with Bearings" in words(open_page("tensors"))


def test_a_set_shows_its_own_exam_pictures_even_before_a_model_has_learned_them(lab):
    dataset = make_toy(lab.home)
    app = open_page("tensors")
    assert "Exam pictures" in words(app) and models.shipped().title in words(app).replace("&#40;", "(").replace(
        "&#41;", ")"
    )
    exam = set(read_items(dataset.path / "items.csv").query("split == 'valid'")["file"])
    assert sum(sha in markup(app) for sha in exam) == 6


def test_a_picture_of_one_s_own_comes_first_and_is_kept_nowhere(lab):
    app = open_page("tensors", part="ranks")
    before = set(lab.home.rglob("*"))
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(buffer, "PNG")
    app.file_uploader(key="tensors.file").upload("<i>mine.png", buffer.getvalue(), "image/png").run()
    assert not app.exception and "This one is yours" in words(app) and "<i>mine" not in markup(app)
    assert "how red the middle pixel is" in words(app)  # nobody said what it is, so there is no loss
    assert set(lab.home.rglob("*")) == before


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"GIF89a" + b"\xff" * 9])
def test_a_bad_file_is_one_sentence_and_the_rest_goes_on(lab, data):
    app = open_page("tensors")
    app.file_uploader(key="tensors.file").upload("bad.png", data, "image/png").run()
    assert not app.exception and len(app.warning) == 1 and "bad.png" in app.warning[0].value
    assert "324 numbers for each colour" in words(app)


def test_a_model_whose_numbers_ran_away_is_one_sentence(lab, monkeypatch):
    gone = lambda self, model, pictures: dataclasses.replace(traced(pictures), scores=np.full((6, 3), np.nan))  # noqa: E731
    monkeypatch.setattr(cache.Predictors, "trace", gone)
    app = open_page("tensors", part="answer")
    assert len(app.error) == 1 and "diverged" in app.error[0].value and not app.exception


# --- pixels


def test_the_zoom_ends_in_the_324_numbers_of_each_colour_and_each_is_a_mean():
    draw = np.random.default_rng(0)
    picture = draw.integers(0, 256, (36, 36, 3), dtype=np.uint8)
    data = tensor_pixels.zoom_of(picture, "x")
    assert [stage["side"] for stage in data["stages"]] == [36, 28, 18]
    means = picture.reshape(18, 2, 18, 2, 3).mean(axis=(1, 3))
    for place, channel in enumerate(tensor_pixels.CHANNELS):
        values = np.array(data["numbers"][channel])
        assert values.shape == (18, 18) and values.size == 324
        assert np.abs(values - means[..., place]).max() <= 1


@pytest.mark.parametrize("size", [32, 96, 128, 224, 512])
def test_sides_fall_from_the_whole_picture_to_18(size):
    sides = tensor_pixels.sides_of(size)
    assert sides[0] == size and sides[-1] == 18 and sides == sorted(set(sides), reverse=True)


def test_the_browser_s_view_goes_to_the_address_and_nothing_else_does(lab, monkeypatch):
    put = {}
    monkeypatch.setattr(state, "to_address", put.__setitem__)
    for view in ({"stage": "<b>", "channel": "x"}, {"stage": 5}, {"stage": "1" * 99}, "stage", None, [], {}):
        monkeypatch.setattr(tensor_pixels.st, "session_state", {tensor_pixels.KEY: SimpleNamespace(view=view)})
        tensor_pixels._to_address()
    assert put == {}
    view = {"stage": "numbers", "channel": "blue"}
    monkeypatch.setattr(tensor_pixels.st, "session_state", {tensor_pixels.KEY: SimpleNamespace(view=view)})
    tensor_pixels._to_address()
    assert put == {"side": "numbers", "channel": "blue"}


# --- ranks


def test_there_is_an_example_of_every_rank_with_its_shape_and_size(lab):
    examples = tensor_ranks.examples(numbers_of())
    assert [example.tensor.ndim for example in examples] == [0, 1, 2, 3, 4]
    assert [example.tensor.shape for example in examples] == [(), (3,), (32, 32), (3, 32, 32), (6, 3, 32, 32)]
    assert all(len(example.axes) == example.tensor.ndim for example in examples)
    said = words(open_page("tensors", part="ranks"))
    for text in ("()", "(3,)", "(32, 32)", "(3, 32, 32)", "(6, 3, 32, 32)", "18,432 numbers, uint8, 18,432 bytes"):
        assert text in said


def test_the_loss_of_a_labelled_picture_is_its_cross_entropy():
    made = numbers_of(at=0)
    example = tensor_ranks.examples(made)[0]
    wanted = torch.nn.functional.cross_entropy(torch.tensor(made.trace.scores[:1]), torch.tensor([1]))
    assert float(example.tensor) == pytest.approx(float(wanted), abs=1e-6) and example.tensor.dtype == np.float32


@pytest.mark.parametrize("label", [None, "cat", "<b>"])
def test_without_a_label_that_the_model_knows_rank_0_is_a_pixel(label):
    example = tensor_ranks.examples(numbers_of(labels=(label,) * 6))[0]
    assert example.tensor.shape == () and example.tensor.dtype == np.uint8 and "pixel" in example.what


# --- the answer, the product, the mean


def test_the_answer_is_softmax_of_the_scores(lab):
    said = words(open_page("tensors", part="answer"))
    scores = traced([b""] * 6).scores[0]
    share = np.exp(scores) / np.exp(scores).sum()
    assert f"{100 * share.max():.0f} %" in said and said.count("← arg max") == 1
    assert all(f">{tensor_ranks.signed(score)}<" in said for score in scores)


def test_scores_beyond_every_power_still_give_shares(lab, monkeypatch):
    large = lambda self, model, pictures: dataclasses.replace(  # noqa: E731
        traced(pictures), scores=np.tile([900.0, 899.0, -900.0], (6, 1))
    )
    monkeypatch.setattr(cache.Predictors, "trace", large)
    app = open_page("tensors", part="answer")
    assert not app.exception and "73 %" in words(app) and "900, the largest" in words(app)


def test_both_products_are_timed_here(lab, monkeypatch):
    asked = []

    def timed(*sizes):
        asked.append(sizes)
        return products.Timed(*sizes, 0.017, 6e-6)

    monkeypatch.setattr(products, "timed", timed)
    app = open_page("tensors", part="product")
    app.button(key="tensors.time").click().run()
    assert asked == [(5, 2, 1), (64, 32, 3), (64, 512, 3)]
    assert "17 ms" in words(app) and "6 µs" in words(app) and "2,800 times as long" in words(app)


@pytest.mark.parametrize(
    ("seconds", "said"), [(6e-6, "6 µs"), (0.9993e-3, "999 µs"), (0.0148, "14.8 ms"), (0.9993, "999 ms"), (12, "12 s")]
)
def test_short_times_have_no_exponent(seconds, said):
    assert short(seconds) == said


def test_the_real_layer_adds_up(lab):
    made = numbers_of()
    data = _layer(made)
    shown = np.array(data["x"]) @ np.array(data["a"]) + np.array(data["rest"])
    assert shown == pytest.approx(np.array(data["product"])) and data["left_out"] == 512 - COLUMNS
    assert np.array(data["product"]) == pytest.approx(made.trace.scores[:5])


def test_the_mean_is_drawn_with_the_numbers_of_the_model(lab):
    said = words(open_page("tensors", part="stretch"))
    assert said.count(">0.500<") == 3 and said.count(">0.250<") == 3 and said.count('class="stretched"') == 4
    raw = int(traced([b""] * 6).pixels[0, 0, 16, 16])
    assert tensor_ranks.signed((raw / 255 - 0.5) / 0.25, 3) in said


def test_what_the_model_sees_is_grey_in_the_middle():
    assert grey(np.array([-9.0, -2.0, 0.0, 2.0, 9.0])).tolist() == [0, 0, 128, 255, 255]


def test_a_part_has_one_button_that_leads_on(lab):
    assert "Ranks" in labels(open_page("tensors"))
