"""The predict page: every way to bring a picture, what stands beside the answer, and the owner's card of a link."""

import base64
import html
import io

import numpy as np
import pytest
from PIL import Image

from core.data.images import encode
from core.deploy.shares import find, opened
from core.errors import DataError, ImageRejected
from core.text import read
from core.train import runs, shelf
from core.ui import pictures, sharing, state, why
from core.ui.cache import Predictors
from core.workspace import Workspace
from tests.conftest import make_toy
from tests.data.test_mistakes import picture
from tests.data.web_server import WebServer, answer
from tests.pages.test_mistakes import bring, healthy
from tests.ui.support import Oracle, labels, markup, open_page, training_run, words


@pytest.fixture
def toy_set(lab, monkeypatch):
    oracle = Oracle({"r": 0.2, "g": 0.7, "b": 0.1})
    monkeypatch.setattr(Predictors, "_of_run", lambda self, model: oracle)
    monkeypatch.setattr(Predictors, "heat", lambda self, model, data: encode(Image.new("RGB", (32, 32), "red")).jpeg)
    return make_toy(lab.home)


@pytest.fixture
def run(toy_set):
    return training_run(toy_set)


# --- ways to bring a picture


def test_what_was_pasted_or_fetched_is_small_and_can_be_put_away(toy_set, run):
    app = open_page("predict", model=run.id)
    app.session_state["slot.predict.brought"] = [("Pasted picture", picture())]
    app.run()
    assert healthy(app) and "70 %" in words(app) and "Pasted picture" in words(app)
    app.button(key="predict.clear").click().run()
    assert healthy(app) and "70 %" not in words(app)


def test_a_picture_that_is_kept_is_as_small_as_a_model_looks_at_it(lab, monkeypatch):
    slots = {}
    monkeypatch.setattr(state, "get", lambda slot, default=None: slots.get(slot, default))
    monkeypatch.setattr(state, "put", slots.__setitem__)
    for seed in range(pictures.KEPT + 2):
        pictures._keep("large.png", picture(seed, size=(900, 700)))
    pictures._keep("same.png", picture(pictures.KEPT + 1, size=(900, 700)))
    kept = slots["predict.brought"]
    assert len(kept) == pictures.KEPT and [name for name, _ in kept].count("same.png") == 1
    assert max(Image.open(io.BytesIO(kept[0][1])).size) == 512
    with pytest.raises(ImageRejected):
        pictures._keep("x", b"no picture")


def test_what_a_browser_pastes_is_read_strictly():
    data = picture()
    assert pictures.from_data_url("data:image/png;base64," + base64.b64encode(data).decode()) == data
    for wrong in (
        "",
        "data:,",
        "data:text/html;base64,PGI+",
        "data:image/png,abc",
        "data:image/png;base64,%%%",
        "x" * 99,
    ):
        with pytest.raises(ImageRejected, match="no picture"):
            pictures.from_data_url(wrong)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://x.org/a/my%20bear.jpg?w=9", "my bear.jpg"),
        ("https://x.org/bears/", "bears"),
        ("https://x.org", "Picture from the web"),
        ("https://[x", "Picture from the web"),
    ],
)
def test_an_address_names_its_picture(url, name):
    assert pictures.name_in(url) == name


def fetch(app, url):
    if not [box for box in app.text_input if box.key == "predict.url"]:
        app.segmented_control(key="predict.way").set_value("Web address").run()
    app.text_input(key="predict.url").set_value(url)
    return app.button(key="predict.fetch").click().run()


def test_an_address_is_fetched_through_the_safe_door(lab, toy_set, run, monkeypatch):
    with WebServer() as server:
        server.pages = {"/bear.png": lambda _: answer(200, picture()), "/page": lambda _: answer(200, b"<html>")}
        app = fetch(open_page("predict", model=run.id), server.url("/bear.png"))
        assert "open to all" in app.error[0].value and server.asked == [] and not app.exception
        monkeypatch.setattr(pictures, "fetch_picture", lambda url, allow_hosts: fetched(server, url))
        app = fetch(app, server.url("/bear.png"))
        assert healthy(app) and "bear.png" in words(app) and "70 %" in words(app)
        app = fetch(app, server.url("/page"))
        assert len(app.error) == 1 and not app.exception


def fetched(server, url):
    from core.data.one_picture import fetch_picture

    return fetch_picture(url, allow_hosts=(server.host,))


def test_a_session_fetches_a_few_pictures_a_minute(toy_set, run, monkeypatch):
    asked = []
    monkeypatch.setattr(pictures, "fetch_picture", lambda url, allow_hosts: asked.append(url) or picture(len(asked)))
    monkeypatch.setattr(pictures, "FETCHES_A_MINUTE", 2)
    app = open_page("predict", model=run.id)
    for number in range(3):
        app = fetch(app, f"https://x.org/{number}.jpg")
    assert len(asked) == 2 and "within a minute" in app.error[0].value and not app.exception


def test_only_a_few_fetch_at_once(monkeypatch):
    monkeypatch.setattr(pictures, "WAIT_S", 0.01)
    taken = [pictures.fetching() for _ in range(pictures.FETCHES_AT_ONCE)]
    for place in taken:
        place.__enter__()
    with pytest.raises(Exception, match="Too many people"), pictures.fetching():
        raise AssertionError("there was a place")
    for place in taken:
        place.__exit__(None, None, None)
    with pytest.raises(DataError), pictures.fetching():
        raise DataError("a fault gives its place back")
    with pictures.fetching():
        pass


# --- beside the answer


def test_where_it_looked_lies_over_the_picture_when_asked(toy_set, run):
    app = bring(run.id, picture())
    before = markup(app)
    app.pills(key="predict.why").set_value([why.HEAT]).run()
    after = markup(app)
    assert healthy(app) and before != after and after.count("data:image/jpeg") == 1


def test_pictures_like_it_are_asked_for_once_and_shown_with_their_classes(toy_set, run, lab, monkeypatch):
    items = toy_set.items()
    learned = items[items["split"] == "train"]
    nearest = learned.iloc[3]
    rows = np.eye(len(items), 40, dtype=np.float16)
    place = list(items["file"]).index(nearest["file"])
    monkeypatch.setattr(Predictors, "activations", lambda self, model, data: rows[place].astype(np.float32))
    app = bring(run.id, picture())
    app.pills(key="predict.why").set_value([why.ALIKE]).run()
    [reading] = runs.list_runs(lab.workspace, "read")
    assert healthy(app) and read("predict", "alike_wait") in words(app) and 'class="alike"' not in markup(app)
    reading = runs.set_state(runs.set_state(reading, "starting"), "running")
    from core.interpret.reading import to_csv

    table = items[["item", "file", "label", "split"]].assign(predicted=items["label"], loss=0.1)
    (reading.path / "answers.csv").write_text(to_csv(table))
    np.save(reading.path / "activations.npy", rows)
    runs.set_state(reading, "done")
    app.run()
    said = markup(app)
    assert healthy(app) and said.count('<figure><img src="/thumb/') == why.NEAREST
    assert said.index(nearest["file"]) < said.index("figcaption", said.index('class="alike"'))
    exam = set(items[items["split"] == "valid"]["file"])
    assert not [sha for sha in exam if f"/thumb/{sha}" in said.partition('class="alike"')[2].partition("</div>")[0]]
    assert len(runs.list_runs(lab.workspace, "read")) == 1


def test_the_shipped_model_has_no_pictures_like_it(lab, toy_set, run):
    assert why.ALIKE not in open_page("predict", model="demo").pills(key="predict.why").options
    app = bring(run.id, picture())
    app.pills(key="predict.why").set_value([why.ALIKE, why.HEAT]).run()
    app.query_params["model"] = "demo"
    app.run()
    assert not app.exception and not app.error


def test_several_answers_are_corrected_one_by_one(toy_set, run):
    from core.data.mistakes import read_mistakes

    app = bring(run.id, picture(1), picture(2), picture(3))
    assert words(app).count(read("predict", "consent")) == 3
    for place, label in ((0, "b"), (2, "r")):
        next(box for box in app.selectbox if box.key.startswith(f"wrong.label.{place}.")).set_value(label).run()
        next(one for one in app.button if one.key.startswith(f"wrong.keep.{place}.")).click().run()
    assert healthy(app) and sorted(read_mistakes(toy_set)["label"]) == ["b", "r"]
    assert "2 mistakes" in words(app).replace("<em>", "")


# --- the owner's card


def switch(app, run, on=True):
    toggle = app.toggle(key=f"share.on.{run.id}")
    return toggle.set_value(on).run()


def test_there_is_no_link_until_the_owner_switches_it_on(toy_set, run):
    app = open_page("predict", model=run.id)
    assert find(run.workspace, run.id) is None and read("predict", "share_none") in words(app)
    switch(app, run)
    share = find(run.workspace, run.id)
    assert healthy(app) and share.on and share.title == "b, g or r?" and share.threshold == 0.6
    assert any(share.id in code.value for code in app.code) and "data:image/svg+xml" in markup(app)
    assert read("predict", "share_here").replace("**", "") in words(app).replace("<em>", "").replace("</em>", "")
    switch(app, run, on=False)
    assert healthy(app) and not find(run.workspace, run.id).on and read("predict", "share_off") in words(app)
    assert not any(share.id in code.value for code in app.code)
    switch(app, run)
    assert find(run.workspace, run.id) == share  # the same link again


def test_the_owner_chooses_what_friends_read(toy_set, run):
    app = switch(open_page("predict", model=run.id), run)
    share = find(run.workspace, run.id)
    app.text_input(key=f"share.title.{share.id}").set_value("Which letter?").run()
    app.slider(key=f"share.sure.{share.id}").set_value(0.9).run()
    changed = find(run.workspace, run.id)
    assert healthy(app) and (changed.title, changed.threshold) == ("Which letter?", 0.9)


def test_a_link_is_deleted_after_a_question_and_a_new_one_is_another(toy_set, run):
    app = switch(open_page("predict", model=run.id), run)
    old = find(run.workspace, run.id)
    app.button(key="share.delete").click().run()
    assert find(run.workspace, run.id) == old and read("predict", "share_delete") in words(app)
    app.button(key="share.delete.do").click().run()
    assert healthy(app) and find(run.workspace, run.id) is None
    switch(app, run)
    assert find(run.workspace, run.id).id != old.id


def test_the_shipped_model_needs_no_link(lab):
    assert "Friends may use this model" not in [toggle.label for toggle in open_page("predict").toggle]


def test_a_link_names_the_host_that_others_use(toy_set, run, monkeypatch):
    assert sharing.served_name(["localhost", "127.0.0.1", "::1", "*"]) is None
    assert sharing.served_name(["localhost", "bears.school"]) == "bears.school"
    assert sharing.own_address() == "ADDRESS" or not sharing.is_loopback(sharing.own_address())


# --- the friends' page


def shared(run, **what):
    from core.deploy.shares import change, make

    make(run.workspace, run.id, title="Which <b>letter?", **what)
    return change(run.workspace, run.id, on=True)


def friend(share_id, *data):
    app = open_page("predict", model=share_id)
    for one in data:
        app.file_uploader(key="predict.files").upload("mine.png", one, "image/png")
    return app.run()


def test_friends_show_pictures_and_read_answers_and_nothing_else(toy_set, run):
    share = shared(run, threshold=0.8)
    app = friend(share.id, picture())
    said = words(app)
    assert healthy(app) and html.unescape(app.title[0].value) == "Which <b>letter?"
    assert "Not sure" in said and "70 %" in said  # 0.7 is below what the owner chose
    assert len(app.sidebar) == 0 and not app.selectbox and not app.toggle and not app.slider and not app.expander
    assert app.segmented_control(key="predict.way").options == ["Files", "Camera"]
    assert app.pills(key="predict.why").options == [why.HEAT]
    for secret in (
        toy_set.id,
        toy_set.name,
        run.id,
        run.workspace.owner + "/",
        "/thumb/",
        "&mistake=1",
        "to learn from",
        "That was wrong",
    ):
        assert secret not in markup(app) + " ".join(labels(app)), secret


def test_whoever_is_not_let_in_reads_the_same_sentence(toy_set, run):
    share = shared(run)
    unknown = friend("link-" + "a" * 26)
    from core.deploy.shares import change, delete

    change(run.workspace, run.id, on=False)
    off = friend(share.id)
    change(run.workspace, run.id, on=True)
    shelf.delete(run)
    binned = friend(share.id)
    shelf.restore(run)
    assert opened(run.workspace.home, share.id) and "Bring a picture" in words(friend(share.id))
    delete(run.workspace, run.id)
    deleted = friend(share.id)
    assert words(off) == words(deleted) == words(unknown) == words(binned)
    assert "no page behind this link" in off.info[0].value and not off.exception and not off.file_uploader


def test_a_link_that_is_switched_off_ends_for_those_who_have_it_open(toy_set, run):
    from core.deploy.shares import change

    app = friend(shared(run).id, picture())
    assert "70 %" in words(app)
    change(run.workspace, run.id, on=False)
    app.run()
    assert "70 %" not in words(app) and app.info


@pytest.mark.parametrize("name", ["home", "explore", "train", "runs", "build"])
def test_with_a_link_in_the_address_no_other_page_is_drawn(toy_set, run, name):
    app = open_page(name, model=shared(run).id)
    assert "Which" in app.title[0].value and toy_set.name not in markup(app) and len(app.sidebar) == 0


@pytest.mark.parametrize("name", ["home", "explore", "train", "runs", "predict"])
def test_a_guest_of_a_laptop_reads_one_sentence_on_every_page(toy_set, run, monkeypatch, name):
    monkeypatch.setattr(state, "guest", lambda: True)
    app = open_page(name, dataset=toy_set.id, model=run.id)
    assert app.info[0].value == read("shell", "guest") and not app.exception
    assert toy_set.name not in markup(app) and not app.file_uploader and len(app.sidebar) == 0
    app = friend(shared(run).id, picture())
    assert "70 %" in words(app)


def test_nobody_has_the_workspace_of_a_laptop_from_elsewhere(lab, monkeypatch):
    monkeypatch.setattr(state, "guest", lambda: True)
    with pytest.raises(Exception, match="person at its computer"):
        state.workspace()
    monkeypatch.setattr(state, "guest", lambda: False)
    assert state.workspace() == Workspace(lab.home)
