"""Parts of the pages: uploads, pictures, reports, warm models and sources."""

import io
import logging
import threading
import time
from types import SimpleNamespace

import pandas as pd
import pytest

from core.errors import DataError, JobError, LabError, NotFound
from core.train import runs
from core.ui import cache, gallery, live, models, page, report, uploads
from core.ui.cache import Background, Predictors
from core.ui.gallery import Shot
from core.workspace import Workspace
from tests.conftest import make_toy
from tests.ui.support import Answer, training_run

NASTY = "<img src=x onerror=alert(1)>![x](http://evil.example/a.png)**b**`c`$d$"


def sent(name, data=b"x"):
    return SimpleNamespace(name=name, size=len(data), getbuffer=lambda: memoryview(data))


# --- uploads


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("pets/cats/a.jpg", ("pets", "cats", "a.jpg")),
        ("../../etc/passwd", ("etc", "passwd")),
        ("/abs/a.jpg", ("abs", "a.jpg")),
        ("C:\\me\\a.jpg", ("C_", "me", "a.jpg")),
        ("a/./../b.jpg", ("a", "b.jpg")),
        ("a\x00b.jpg", ("a_b.jpg",)),
        ("...", ("unnamed",)),
        ("", ("unnamed",)),
        ("x" * 300 + ".jpg", ("x" * 96 + ".jpg",)),
    ],
)
def test_a_client_s_path_becomes_harmless_parts(name, parts):
    assert uploads.safe_parts(name) == parts


def test_a_folder_keeps_its_classes_and_names_that_collide_keep_both_files(tmp_path):
    files = [sent("pets/cats/a.jpg", b"1"), sent("pets/dogs/a.jpg", b"2"), sent("pets/cats/a.jpg", b"3")]
    source = uploads.keep(Workspace(tmp_path), files, allowed_mb=1)
    assert source.name == "pets"
    assert sorted(path.relative_to(source).as_posix() for path in source.rglob("*.jpg")) == [
        "cats/2-a.jpg",
        "cats/a.jpg",
        "dogs/a.jpg",
    ]


def test_one_zip_is_kept_as_it_is(tmp_path):
    source = uploads.keep(Workspace(tmp_path), [sent("my pets.zip", b"PK")], allowed_mb=1)
    assert source.name == "my pets.zip" and source.read_bytes() == b"PK"


def test_more_than_is_allowed_is_refused_before_anything_is_written(tmp_path):
    huge = SimpleNamespace(name="a.zip", size=3 * 2**20, getbuffer=lambda: pytest.fail("read"))
    with pytest.raises(DataError, match="3 MB together; at most 2 MB"):
        uploads.keep(Workspace(tmp_path), [huge], allowed_mb=2)
    assert not list(tmp_path.rglob("*"))


# --- pictures


def test_names_of_people_cannot_become_markup():
    shot = Shot("/thumb/a.jpg", NASTY)
    made = gallery.answer(shot, verdict=page.say("predict", "sure", label=NASTY, share="9 %"), bars="", caption=NASTY)
    assert "<img src=x" not in made and "![" not in made and "`c`" not in made
    assert made.count("<img") == 1


def test_every_picture_of_a_class_row_is_one_address_of_our_own(toy):
    made = gallery.class_rows(toy, toy.kept(), ["r"])
    assert made.count("<img") == 12 and made.count('src="/thumb/') == 12
    assert "9 to learn from, 3 for the exam" in made


def test_inline_markdown_becomes_html_and_nothing_else():
    assert gallery.inline("**a** *b* `c` <d>") == "<em>a</em> <i>b</i> <code>c</code> <d>"


# --- reports


def test_no_cell_of_the_csv_can_be_taken_for_a_formula():
    table = pd.DataFrame({"name": ["=1+2.jpg", "+a", "-b", "@c", "\td", "fine.jpg"], "reason": ["x"] * 6})
    read = pd.read_csv(io.StringIO(report.csv_for_spreadsheets(table)))
    assert list(read["name"]) == ["'=1+2.jpg", "'+a", "'-b", "'@c", "'\td", "fine.jpg"]


# --- models


def test_models_are_the_runs_with_weights_and_the_shipped_one(tmp_path):
    dataset = make_toy(tmp_path)
    done, empty = training_run(dataset), training_run(dataset, state="failed", weights=False)
    going_on = training_run(dataset, state="running")
    found = models.list_models(dataset.workspace)
    assert [model.id for model in found] == [done.id, "demo"]
    assert "toy" in found[0].title and "3 of 12 wrong" in found[0].title
    for run in (empty, going_on):
        with pytest.raises(NotFound, match="There is no model"):
            models.find_model(dataset.workspace, run.id)


def test_a_run_whose_data_set_is_gone_still_has_a_title(tmp_path):
    dataset = make_toy(tmp_path)
    run = training_run(dataset)
    dataset.path.rename(tmp_path / "gone")
    assert "a deleted data set" in models.run_title(runs.load_run(dataset.workspace, run.id))


# --- what is made in the background


def test_something_slow_is_made_once_by_a_thread_and_everybody_gets_it():
    calls = []

    def make():
        calls.append(threading.current_thread().name)
        time.sleep(0.05)
        return "warm"

    slow = Background("engine", make)
    assert slow.state == "waiting" and not slow.ready()
    assert [slow.get(), slow.get()] == ["warm", "warm"] and slow.ready()
    assert calls == ["bearings-engine"]


def test_a_failure_is_a_sentence_and_the_next_one_who_asks_tries_again():
    answers = iter([JobError("No engine answers.", hint="Try again."), None])

    def make():
        error = next(answers)
        if error:
            raise error
        return "up"

    slow = Background("engine", make)
    with pytest.raises(JobError, match="No engine answers"):
        slow.get()
    assert slow.state == "failed" and slow.error.hint == "Try again."
    assert slow.get() == "up" and slow.error is None


def test_a_fault_of_ours_in_the_background_is_logged_and_told_as_a_sentence(caplog):
    slow = Background("The model", lambda: 1 / 0)
    with caplog.at_level(logging.ERROR, "bearings"), pytest.raises(LabError, match="The model did not start"):
        slow.get()
    assert "ZeroDivisionError" in caplog.text


def test_whoever_waits_too_long_is_told_so():
    with pytest.raises(JobError, match="longer than usual"):
        Background("The engine", lambda: time.sleep(0.5)).get(timeout_s=0.02)


def test_only_the_models_used_last_stay_warm(lab, monkeypatch):
    made = []
    dataset = make_toy(lab.home)
    found = [models.find_model(lab.workspace, training_run(dataset).id) for _ in range(3)]
    predictors = Predictors(size=2)
    fake = SimpleNamespace(predict=lambda images: [Answer("r", {"r": 1.0})])
    monkeypatch.setattr("core.deploy.bundle.bundle_of", lambda run: run)
    monkeypatch.setitem(__import__("sys").modules, "core.deploy.predictor", SimpleNamespace(
        Predictor=lambda bundle: made.append(bundle.id) or fake))  # fmt: skip
    picture = next(lab.workspace.root.rglob("*.jpg")).read_bytes()
    for model in (found[0], found[1], found[0], found[2], found[0], found[1]):
        assert predictors.predict(model, picture).label == "r"
    assert made == [found[0].id, found[1].id, found[2].id, found[1].id]


# --- the frame


def test_source_of_reads_a_method_without_importing_its_module():
    text = page.source_of("core.deploy.predictor:Predictor.predict")
    assert text.startswith("def predict(self") and text.count("\ndef ") == 0
    assert page.source_of(page.say).startswith("def say(")


def test_starting_the_app_makes_nothing_wait(lab, monkeypatch):
    go_on = threading.Event()
    demo, engine = Background("demo", lambda: go_on.wait(10)), Background("engine", lambda: "up")
    monkeypatch.setattr(cache, "engine", lambda: engine)
    monkeypatch.setattr(cache, "demo", lambda: demo)
    cache.start_all()
    assert demo.state == "working" and engine.state == "waiting"
    go_on.set()
    demo.wait()
    for _ in range(500):
        if engine.ready():
            break
        time.sleep(0.01)
    assert engine.get() == "up"


def test_a_run_that_has_ended_is_no_fragment_so_that_its_buttons_redraw_the_page(lab, monkeypatch):
    dataset = make_toy(lab.home)
    drawn, fragments = [], []
    monkeypatch.setattr(live.st, "fragment", lambda **options: fragments.append(options) or (lambda body: body))
    for state in ("done", "running"):
        live.watch(training_run(dataset, state=state), lambda run: drawn.append(run.state))
    assert drawn == ["done", "running"] and fragments == [{"run_every": live.EVERY_S}]
