"""The build page: lists of addresses, from what was understood to what became of each."""

import pytest

from core.data.events import DataReady, Fetched, Progress
from core.train import runs
from tests.conftest import make_toy
from tests.pages.building import NASTY, healthy, last_run
from tests.ui.support import labels, markup, open_page, words

LIST = "http://a.org/1.jpg\ndog, http://a.org/2.jpg?x=1,2\nnonsense\n"


def test_a_list_is_understood_before_anything_is_fetched(lab):
    dataset = make_toy(lab.home)
    app = open_page("build", part="bring", way="web", label="r")
    app.text_area[0].set_value(LIST).run()
    assert healthy(app) and "2 addresses for r (1), dog (1)" in words(app)
    assert app.expander[0].label == "Lines that cannot be used: 1" and runs.list_runs(lab.workspace) == []
    app.button(key="list.fetch").click().run()
    run = last_run(lab)
    assert run.kind == "fetch" and run.request["dataset"] == dataset.id
    assert run.request["rows"] == [[1, "r", "http://a.org/1.jpg"], [2, "dog", "http://a.org/2.jpg?x=1,2"]]
    assert app.query_params["job"] == run.id and app.text_area[0].value == ""


def test_a_list_without_classes_asks_for_one(lab):
    make_toy(lab.home)
    app = open_page("build", part="bring", way="web")
    app.text_area[0].set_value("http://a.org/1.jpg").run()
    assert "Choose the class on the left" in words(app) and app.button(key="list.fetch").disabled


def test_an_uploaded_list_can_be_read_in_the_box_and_is_forgotten(lab):
    make_toy(lab.home)
    app = open_page("build", part="bring", way="web")
    data = "\ufeffcat;http://a.org/ä.jpg\r\n".encode("utf-16")
    app.file_uploader(key="list.file.0").upload("list.csv", data, "text/csv").run()
    assert healthy(app) and "1 address for cat (1)" in words(app)
    assert app.text_area[0].value.strip().endswith("cat;http://a.org/ä.jpg")
    assert not app.file_uploader(key="list.file.1").value


def test_a_list_that_is_no_text_is_a_sentence(lab):
    make_toy(lab.home)
    app = open_page("build", part="bring", way="web")
    app.file_uploader(key="list.file.0").upload("list.csv", b"PK\x03\x04\0\0", "text/csv").run()
    assert len(app.error) == 1 and "workbook" in app.error[0].value and not app.exception


def fetch_run(dataset, *, told, state="done", total=4):
    rows = [[line, "r", f"http://a.org/{line}.jpg"] for line in range(1, total + 1)]
    run = runs.create_run(dataset.workspace, "fetch", {"dataset": dataset.id, "rows": rows, "name": "r"})
    if state == "queued":
        return run
    run = runs.set_state(runs.set_state(run, "starting"), "running")
    runs.append_event(run, Progress(0, "fetch", 0, total))
    for line, code in enumerate(told, start=1):
        runs.append_event(run, Fetched(line, line, "r", f"http://a.org/{line}.jpg", code, f"Because {NASTY}.", ""))
    if state == "running":
        return run
    if state == "done":
        ready = DataReady(9, dataset.id, "toy", dataset.classes, 36, 27, 9, added=told.count("saved"))
        runs.append_event(run, ready)
    return runs.set_state(run, state, message="No space." if state == "failed" else None, hint="Free some.")


def test_a_fetch_that_goes_on_shows_counts_addresses_and_a_way_to_stop(lab):
    run = fetch_run(make_toy(lab.home), told=["saved", "too_slow"], state="running")
    app = open_page("build")
    said = words(app)
    assert healthy(app) and app.query_params["job"] == run.id
    assert (
        "2 of 4" in said and "saved <b>1</b>" in said and "too slow <b>1</b>" in said and "http://a.org/2.jpg" in said
    )
    app.button(key=f"stop.{run.id}").click().run()
    assert runs.stop_requested(run)


def test_a_fetch_that_waits_for_its_turn_says_so(lab):
    run = fetch_run(make_toy(lab.home), told=[], state="queued")
    lab.engine.waiting = [run]
    assert "1st in the queue" in words(open_page("build", job=run.id))


def test_after_a_fetch_every_address_has_its_outcome_and_the_failed_ones_can_be_tried_again(lab):
    run = fetch_run(make_toy(lab.home), told=["saved", "too_slow", "not_an_image", "failed"])
    app = open_page("build", job=run.id)
    assert healthy(app) and "1 of 4 addresses gave a new picture" in words(app) and "<img src=x" not in markup(app)
    assert list(app.dataframe[0].value["line"]) == [2, 3, 4, 1]
    assert {"Try 2 again", "Close"} <= set(labels(app))
    app.button(key="fetch.again").click().run()
    assert [row[0] for row in last_run(lab).request["rows"]] == [2, 4] and last_run(lab).id != run.id


@pytest.mark.parametrize(
    ("state", "said"),
    [("stopped", "2 addresses to go"), ("interrupted", "interrupted"), ("failed", "No space")],
)
def test_a_fetch_that_was_cut_off_goes_on(lab, state, said):
    run = fetch_run(make_toy(lab.home), told=["saved", "too_slow"], state=state)
    app = open_page("build", job=run.id)
    assert not app.exception and said in words(app)
    app.button(key="fetch.on").click().run()
    assert runs.load_run(lab.workspace, run.id).state == "queued"


def test_a_list_that_was_fetched_before_can_be_opened_again(lab):
    run = fetch_run(make_toy(lab.home), told=["saved"] * 4)
    app = open_page("build", part="bring", way="web")
    app.button(key=f"list.open.{run.id}").click().run()
    assert healthy(app) and "4 of 4 addresses" in words(app) and app.query_params["job"] == run.id
