"""predict.py of a bundle: without Bearings it says what the lab says, about every kind of picture."""

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from core.deploy.model_file import load_bundle
from core.deploy.predictor import Predictor
from tests.deploy.alone import environment, listed
from tests.deploy.bundles import exported, rewrite


def noise(width, height, mode="RGB", seed=3):
    """A picture in which every pixel counts."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 10, width // 10, 3)).astype("uint8")
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def saved(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def clear():
    """Half of it can be seen through, by degrees."""
    image = noise(240, 160, "RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


PICTURES = {
    "plain.jpg": saved(noise(500, 375), "JPEG", quality=90),
    "large.jpg": saved(noise(1800, 1230), "JPEG", quality=80),
    "tall.jpg": saved(noise(900, 1600), "JPEG", progressive=True),
    **{f"turned{n}.jpg": saved(noise(640, 480), "JPEG", exif=turned(n)) for n in (2, 3, 5, 6, 8)},
    "cmyk.jpg": saved(noise(300, 200, "CMYK"), "JPEG"),
    "grey.jpg": saved(noise(300, 200, "L"), "JPEG"),
    "clear.png": saved(clear(), "PNG"),
    "palette.gif": saved(noise(200, 150).quantize(64), "GIF", transparency=3),
    "deep.png": saved(Image.fromarray(np.asarray(noise(200, 120, "L")).astype("uint16") * 257), "PNG"),
    "web.webp": saved(clear(), "WEBP", lossless=True),
    "bits.bmp": saved(noise(90, 200), "BMP"),
    "one.png": saved(noise(100, 80).convert("1"), "PNG"),
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for name, data in PICTURES.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in PICTURES]


def unpacked(zip_path, folder):
    with zipfile.ZipFile(zip_path) as archive:
        archive.extractall(folder)
    return folder


def ask(folder, *pictures, cwd, python=sys.executable):
    """Run predict.py alone: -I keeps the current folder and PYTHONPATH out of the way."""
    command = [str(python), "-I", str(folder / "predict.py"), *map(str, pictures)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(("backbone", "size"), [("lite0", 96), ("resnet18", 64)])
def test_the_bundle_alone_gives_the_probabilities_of_the_lab(tmp_path, pictures, backbone, size):
    exported(tmp_path / "m.zip", backbone=backbone, size=size)
    folder, elsewhere = unpacked(tmp_path / "m.zip", tmp_path / "unpacked"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    python = environment(tmp_path / "env", listed(folder))
    for absent in ("core.deploy", "streamlit", "pandas", "timm" if backbone == "resnet18" else "onnx"):
        alone = [python, "-I", "-c", f"import {absent}"]
        assert b"No module named" in subprocess.run(alone, cwd=elsewhere, capture_output=True).stderr, absent
    ran = ask(folder, *pictures, cwd=elsewhere, python=python)
    assert ran.returncode == 0, ran.stderr
    answers, predictor = json.loads(ran.stdout), Predictor(load_bundle(tmp_path / "m.zip"))
    assert [answer["image"] for answer in answers] == [str(path) for path in pictures]
    seen = set()
    for answer, said in zip(answers, predictor.predict(pictures), strict=True):
        assert set(answer) == {"image", "label", "probabilities", "ms"} and answer["ms"] > 0
        assert answer["label"] == said.label and list(answer["probabilities"]) == list(said.probabilities)
        assert answer["probabilities"] == pytest.approx(said.probabilities, abs=1e-5), answer["image"]
        assert max(said.probabilities.values()) < 0.999, "a sure answer hides what differs"
        seen.add(round(said.probability, 4))
    assert len(seen) > len(pictures) / 2, "the pictures are too much alike to tell anything"


def test_weights_that_changed_on_the_way_are_noticed(tmp_path, pictures):
    exported(tmp_path / "m.zip")
    with zipfile.ZipFile(tmp_path / "m.zip") as archive:
        weights = bytearray(archive.read("model.safetensors"))
    weights[-100] ^= 1
    rewrite(tmp_path / "m.zip", tmp_path / "bad.zip", {"model.safetensors": bytes(weights)})
    ran = ask(unpacked(tmp_path / "bad.zip", tmp_path / "bad"), pictures[0], cwd=tmp_path)
    assert ran.returncode == 1 and "damaged" in ran.stderr and "Traceback" not in ran.stderr and not ran.stdout
