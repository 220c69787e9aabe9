"""The corpus of hostile pictures: each is read upright in its colours or refused, and none takes much memory."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.data.hostile_images import SCRIPT, corpus

ROOT = Path(__file__).parents[2]
MOST_MB = 300
OPEN_ALL = """
import json, resource, sys
from pathlib import Path
from core.data.decoder import Task, perform
from core.errors import ImageRejected

def peak():  # of this process, in MB
    lines = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) / 1024 if lines else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

folder = Path(sys.argv[1])
found, base = {}, 0.0
for path in [folder / "0.bin", *sorted(folder.glob("*.bin"))]:
    try:
        made = perform(Task(data=path.read_bytes()))
        path.with_suffix(".jpg").write_bytes(made.jpeg)
        code = "read"
    except ImageRejected as reason:
        code = reason.code if reason.message.endswith(".") and reason.hint else "no sentence"
    base = base or peak()
    found[path.stem] = [code, peak()]
sys.stdout.write(json.dumps([base, found]))
"""


@pytest.fixture(scope="module")
def cases():
    return corpus()


@pytest.fixture(scope="module")
def opened(cases, tmp_path_factory):
    """What became of each case, all in one process: name -> (case, code, stored picture, peak in MB over the base)."""
    folder = tmp_path_factory.mktemp("hostile")
    for number, case in enumerate(cases.values()):
        (folder / f"{number}.bin").write_bytes(case.data)
    command = [sys.executable, "-c", OPEN_ALL, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr  # no crash
    base, found = json.loads(done.stdout)
    results = {}
    for number, (name, case) in enumerate(cases.items()):
        stored = folder / f"{number}.jpg"
        code, peak = found[str(number)]
        results[name] = (case, code, stored.read_bytes() if stored.exists() else b"", peak - base)
    return results


def test_the_corpus_is_large_and_no_two_cases_are_the_same(cases):
    assert len(cases) >= 60 and len({case.data for case in cases.values()}) == len(cases)
    assert sum(not case.codes for case in cases.values()) >= 30


def test_every_picture_is_read_or_refused_for_the_right_reason(opened):
    wrong = {name: code for name, (case, code, _, _) in opened.items() if code not in (case.codes or ("read",))}
    assert wrong == {}


def test_every_picture_that_is_read_has_the_right_colours_and_lies_right(opened):
    for name, (case, _, stored, _) in opened.items():
        if case.codes:
            continue
        image = Image.open(io.BytesIO(stored))
        width, height = image.size
        found = [image.getpixel((x, y)) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
        assert image.size == case.size and image.mode == "RGB", name
        for colour, wanted in zip(found, case.corners, strict=True):
            assert max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) <= 25, (name, found)


def test_nothing_but_pixels_is_stored(opened):
    for name, (_, _, stored, _) in opened.items():
        if stored:
            image = Image.open(io.BytesIO(stored))
            assert SCRIPT not in stored and b"PK\x05\x06" not in stored and not dict(image.getexif()), name
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}, name


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_none_takes_more_than_300_mb(opened):
    peaks = {name: peak for name, (_, _, _, peak) in opened.items()}
    assert max(peaks.values()) < MOST_MB, max(peaks, key=peaks.get)
    assert max(peaks.values()) > 100  # 49 million pixels were opened indeed
