"""Predictions: the shipped model answers, the same for bytes, paths and pictures, and says no to what is none."""

import io

import pytest
from PIL import Image

from core.deploy import demo
from core.deploy.predictor import Predictor
from core.errors import ImageRejected


@pytest.fixture(scope="module")
def predictor():
    return Predictor(demo.bundle())


def test_the_shipped_model_knows_its_own_pictures(predictor):
    pictures = demo.pictures()
    answers = predictor.predict([picture.jpeg for picture in pictures])
    right = sum(answer.label == picture.label for answer, picture in zip(answers, pictures, strict=True))
    assert right >= 5
    for answer in answers:
        assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert answer.probability == max(answer.probabilities.values()) and answer.ms > 0


def test_bytes_a_path_and_an_open_picture_get_the_same_answer(predictor, tmp_path):
    data = demo.pictures()[0].jpeg
    (tmp_path / "x.jpg").write_bytes(data)
    answers = predictor.predict([data, tmp_path / "x.jpg", Image.open(io.BytesIO(data))])
    first = answers[0].probabilities
    assert all(answer.probabilities == pytest.approx(first, abs=1e-4) for answer in answers)


def test_a_picture_with_transparency_or_lying_on_its_side_is_answered(predictor):
    buffer = io.BytesIO()
    Image.new("RGBA", (40, 90), (200, 100, 50, 128)).save(buffer, "PNG")
    assert predictor.predict([buffer.getvalue()])[0].label in predictor.classes


def test_what_is_no_picture_is_refused(predictor):
    with pytest.raises(ImageRejected):
        predictor.predict([b"<html>not a picture</html>"])
