"""The app as it is served: its settings, and faults that must never reach a page as they are."""

import logging
import tomllib

import pytest

from core.ui import answers, cache, state
from core.ui.identity import sign, signing_key
from core.ui.page import PAGES
from core.workspace import new_id
from tests.conftest import make_toy
from tests.ui.support import ROOT, failed, open_page, training_run, words

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def test_the_app_listens_to_this_computer_alone_and_tells_nobody_anything():
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["server"]["allowedHosts"] == ["localhost", "127.0.0.1"]
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none" and CONFIG["client"]["toolbarMode"] == "viewer"


def test_no_garbage_collection_after_every_rerun_and_no_reloading():
    assert CONFIG["runner"]["postScriptGC"] is False and CONFIG["server"]["fileWatcherType"] == "none"


def test_a_fault_on_a_page_is_a_sentence_with_a_code_and_a_traceback_in_the_log(lab, monkeypatch, caplog):
    monkeypatch.setattr(answers, "samples", lambda model: 1 / 0)
    with caplog.at_level(logging.ERROR, "bearings"):
        app = open_page("home")
    assert not app.exception and "our fault" in app.error[0].value
    code = app.error[0].value.split("**")[1]
    assert code in caplog.text and "ZeroDivisionError" in caplog.text
    assert "ZeroDivisionError" not in words(app) and "Traceback" not in words(app)
    assert "home.try" in [button.key for button in app.button]  # what surrounds the fault goes on


def test_a_model_that_does_not_start_is_said_on_the_page(lab, monkeypatch):
    broken = failed("The bear model did not start.")
    monkeypatch.setattr(cache, "demo", lambda: broken)
    assert "did not start" in open_page("home").error[0].value


def test_without_the_cookie_the_class_is_told_what_to_allow(lab, monkeypatch):
    monkeypatch.setenv("BEARINGS_PROFILE", "class")
    cache.settings.cache_clear()
    for sent in (None, "local", f"{new_id()}.{'0' * 64}"):
        monkeypatch.setattr(state, "cookie", lambda sent=sent: sent)
        app = open_page("train")
        assert "cookie" in app.error[0].value and not app.exception


NOBODY_S = ("predict", "glossary", "sgd", "schedules", "functions")  # show nothing of what somebody has made


@pytest.mark.parametrize("name", PAGES)
def test_in_a_class_nobody_sees_what_is_somebody_elses(lab, monkeypatch, name):
    run = training_run(make_toy(lab.home, name="secret pets"))
    owners = new_id(), new_id()
    lab.workspace.root.rename(lab.home / owners[0])
    monkeypatch.setenv("BEARINGS_PROFILE", "class")
    cache.settings.cache_clear()
    key = signing_key(lab.home)
    seen = []
    for owner in owners:
        monkeypatch.setattr(state, "cookie", lambda owner=owner: sign(owner, key))
        part = {"part": "runs"} if name == "diagnose" else {}
        app = open_page(name, run=run.id, model=run.id, job=run.id, **part)
        seen.append(words(app) + " ".join(option for box in app.selectbox for option in box.options))
    mine, theirs = (run.request["dataset"] in said or "secret pets" in said or "3 of 12 wrong" in said for said in seen)
    assert (mine or name in NOBODY_S) and not theirs
