"""A class in a real browser: a model is corrected and gets it right, and friends get this one model by its link.

The friend is a second browser with cookies of its own. Every page of the table and every route of the app is tried.
"""

import re

import pytest

import app as web_app
from core.data.mistakes import read_mistakes
from core.data.samples import make_sample
from core.data.table import list_datasets
from core.deploy.shares import find
from core.train.runs import list_runs
from core.ui.identity import COOKIE
from core.ui.page import PAGES
from core.workspace import Workspace, is_id
from tests.browser.conftest import Visitor, served
from tests.browser.test_first_visit import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
NAME = "my secret bears"
EACH = 12


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    with served(tmp_path_factory.mktemp("class"), profile="class") as made:
        yield made


@pytest.fixture(scope="module")
def owner(chromium, school):
    """Somebody of the class, with a data set; `workspace` and `dataset` are theirs."""
    visitor = Visitor(chromium, school, 1366, 768)
    visitor.open("/")
    [cookie] = [cookie for cookie in visitor.context.cookies() if cookie["name"] == COOKIE]
    visitor.workspace = Workspace(school.home, cookie["value"].partition(".")[0])
    assert is_id(visitor.workspace.owner)
    for _ in make_sample(visitor.workspace, "bears", name=NAME, per_class=EACH):
        pass
    [visitor.dataset] = list_datasets(visitor.workspace)
    yield visitor
    visitor.context.close()


@pytest.fixture(scope="module")
def trained(owner):
    """The owner's first model."""
    owner.open(f"/train?dataset={owner.dataset.id}")
    return finished(owner, 1)


def finished(owner, count):
    """Start the training that the page offers, and wait until there are so many finished runs; the newest."""
    owner.page.locator(".st-key-train-start button").click()
    wait_until(lambda: len(done(owner)) == count, "the training did not end", seconds=200)
    return done(owner)[0]


def done(owner):
    return [run for run in list_runs(owner.workspace, "train") if run.state == "done"]


@pytest.fixture(scope="module")
def unseen(tmp_path_factory):
    """Bears of another drawing, as (label, bytes): the model has seen none of them."""
    workspace = Workspace(tmp_path_factory.mktemp("unseen"))
    for _ in make_sample(workspace, "bears", name="others", per_class=20, seed=7):
        pass
    [dataset] = list_datasets(workspace)
    return [(row.label, dataset.image_path(row.file).read_bytes()) for row in dataset.kept().itertuples()]


def predictor(run):
    from core.deploy.bundle import bundle_of
    from core.deploy.predictor import Predictor

    return Predictor(bundle_of(run))


def wrong_one(run, pictures):
    """A picture that a model gets wrong: its label, what the model says, its bytes."""
    model = predictor(run)
    said = [(label, model.predict([data])[0], data) for label, data in pictures]
    wrong = [(found.probability, label, found.label, data) for label, found, data in said if found.label != label]
    assert wrong, "the model gets every picture right"
    return min(wrong)[1:]  # the one it is least sure of


def bring(visitor, *pictures):
    files = [
        {"name": f"picture {place}.jpg", "mimeType": "image/jpeg", "buffer": data}
        for place, data in enumerate(pictures)
    ]
    visitor.page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(files)
    visitor.page.locator(".answer .time").nth(len(pictures) - 1).wait_for()
    visitor.settle()


def verdict(visitor, place=0):
    return visitor.page.locator(".answer .verdict").nth(place).inner_text()


def first_bar(visitor):
    return visitor.page.locator(".answer .bars .bar-name").first.inner_text()


def test_a_wrong_answer_is_corrected_trained_on_and_right(owner, trained, unseen):
    label, said, picture = wrong_one(trained, unseen)
    owner.open(f"/predict?model={trained.id}")
    bring(owner, picture)
    assert first_bar(owner) == said
    owner.page.get_by_role("button", name="That was wrong").click()
    assert "for you alone" in owner.page.locator("[data-testid=stPopoverBody]").inner_text()
    assert read_mistakes(owner.dataset).empty
    owner.page.locator("[data-testid=stPopoverBody] input").click()
    owner.page.get_by_role("option", name=label, exact=True).click()
    owner.page.get_by_role("button", name="Keep it as a mistake").click()
    owner.page.get_by_text("1 mistake").first.wait_for()
    [row] = read_mistakes(owner.dataset).itertuples()
    assert (row.label, row.said) == (label, said)

    owner.press("Train on the mistakes")
    owner.page.wait_for_url(re.compile("preset=mistakes"))
    owner.settle()
    tuned = finished(owner, 2)
    owner.open(f"/predict?model={tuned.id}")
    bring(owner, picture)
    assert first_bar(owner) == label and label in verdict(owner)
    owner.assert_no_fault()


def test_where_it_looked_and_what_is_like_it_stand_beside_the_answer(owner, trained, unseen):
    owner.open(f"/predict?model={trained.id}")
    bring(owner, unseen[0][1])
    plain = owner.page.locator(".answer img").get_attribute("src")
    owner.page.get_by_role("button", name="Where it looked").click()
    owner.page.wait_for_function("src => document.querySelector('.answer img').src !== src", arg=plain)
    owner.page.get_by_role("button", name="Pictures like it").click()
    owner.page.locator(".alike figure").nth(4).wait_for(timeout=120_000)
    owner.page.wait_for_function("[...document.querySelectorAll('.alike img')].every(one => one.naturalWidth > 0)")
    owner.assert_no_fault()


def test_a_picture_is_pasted_from_the_clipboard(owner, trained):
    owner.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=owner.server.url)
    owner.open(f"/predict?model={trained.id}")
    owner.page.evaluate("""async () => {
        const canvas = new OffscreenCanvas(60, 40);
        canvas.getContext("2d").fillRect(10, 10, 20, 20);
        const blob = await canvas.convertToBlob({ type: "image/png" });
        await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
    }""")
    for way in (lambda: owner.press("Paste a picture"), lambda: owner.page.keyboard.press("Control+V")):
        way()
        owner.page.get_by_text("Pasted picture").first.wait_for()
        owner.settle()
        owner.press("Put it away")
        owner.page.get_by_text("Pasted picture").first.wait_for(state="detached")
        owner.page.locator("h1").click()
    owner.page.evaluate("navigator.clipboard.writeText('no picture')")
    owner.press("Paste a picture")
    owner.page.get_by_text("no picture in the clipboard").wait_for()
    owner.assert_no_fault()


@pytest.fixture(scope="module")
def link(owner, trained):
    """The link that the owner's card shows, once it is on."""
    owner.open(f"/predict?model={trained.id}")
    assert find(owner.workspace, trained.id) is None
    owner.page.locator(".st-key-share summary").click()
    owner.page.get_by_text("Friends may use this model").click()
    shown = owner.page.locator(".st-key-share [data-testid=stCode]").inner_text().strip()
    assert owner.page.locator(".st-key-share img.qr").evaluate("image => image.naturalWidth") > 0
    assert shown == f"{owner.server.url}/predict?model={find(owner.workspace, trained.id).id}"
    return shown.removeprefix(owner.server.url)


@pytest.fixture
def friend(chromium, school):
    made = Visitor(chromium, school, 390, 844)
    yield made
    made.context.close()


def secrets(owner, trained):
    shas = list(owner.dataset.items()["file"])
    return [NAME, owner.dataset.id, trained.id, owner.workspace.owner, *shas]


def opened(visitor, path):
    """Open a page and wait until it is drawn."""
    visitor.open(path)
    visitor.page.locator("h1").wait_for()
    visitor.settle()


def everything(visitor):
    """What a page holds, also in its boxes."""
    boxes = visitor.page.locator("input, textarea").evaluate_all("all => all.map(one => one.value)")
    return "\n".join([visitor.page.content(), *boxes])


def assert_nothing_of(secret, told):
    assert not [one for one in secret if one in told]


def test_a_friend_shows_a_picture_and_reads_the_answer(friend, owner, trained, link, unseen):
    friend.open(link)
    bring(friend, unseen[0][1], unseen[1][1])
    assert re.search(r"\d ms", friend.text()) and re.search("model says|Not sure", verdict(friend, 1))
    page = friend.page
    for part in ("stSidebar", "stHeader", "stSidebarNav", "stExpander"):
        assert not page.locator(f"[data-testid={part}]").is_visible(), part
    links = page.locator("a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert [one for one in links if not one.startswith("#")] == [] and "That was wrong" not in friend.text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".answer img").first.bounding_box()["y"] < 400  # the answer comes before the controls
    assert_nothing_of(secrets(owner, trained), everything(friend))
    assert [cookie for cookie in friend.context.cookies() if cookie["name"] == COOKIE] == []
    friend.assert_no_fault()


def test_no_page_shows_a_friend_anything_of_the_owner_s(friend, owner, trained, link):
    friend.open(link)
    told = secrets(owner, trained)
    ids = f"model={trained.id}&dataset={owner.dataset.id}&run={trained.id}&finder={trained.id}&job={trained.id}"
    for name in PAGES:
        for query in ("", f"?{ids}"):
            opened(friend, f"/{name if name != 'home' else ''}{query}")
            assert_nothing_of(told[:1] + told[3:] if query else told, everything(friend))  # ids that they typed
    opened(owner, f"/explore?dataset={owner.dataset.id}")
    owner.page.wait_for_function("document.body.innerHTML.includes('/thumb/')")
    seen = everything(owner)  # what was looked for is there to be seen
    assert NAME in seen and [sha for sha in told[4:] if sha in seen]


def test_no_route_gives_a_friend_anything_of_the_owner_s(friend, owner, trained, link):
    friend.open(link)
    friend.open("/")  # now with a cookie of their own
    values = {"sha": owner.dataset.items()["file"].iloc[0], "dataset": owner.dataset.id}
    routes = [route for route in web_app.app._user_routes if "{" in route.path]
    assert len(routes) >= 5
    for route in routes:
        path = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: values.get(found[1], trained.id), route.path)
        address = f"{owner.server.url}{path}?dataset={owner.dataset.id}"
        for method in ("GET", "POST"):
            answer = friend.context.request.fetch(
                address, method=method, headers={"content-type": "image/jpeg"}, data=b"\xff\xd8\xff"
            )
            kind = answer.headers.get("content-type", "")
            assert answer.status >= 400 or kind.startswith("text/html"), (method, path, answer.status)
            assert NAME.encode() not in answer.body() and values["sha"].encode() not in answer.body()
    mine = owner.context.request.get(f"{owner.server.url}/thumb/{values['sha']}.jpg?dataset={owner.dataset.id}")
    assert mine.status == 200


def test_the_owner_switches_a_link_off_and_deletes_it(friend, owner, trained, link):
    gone = "no page behind this link"
    uploader = friend.page.locator("[data-testid=stFileUploader]")
    friend.open(link)
    uploader.wait_for()
    owner.open(f"/predict?model={trained.id}")
    owner.page.get_by_text("Friends may use this model").click()
    wait_until(lambda: not find(owner.workspace, trained.id).on, "not switched off")
    friend.open(link)
    friend.page.get_by_text(gone).wait_for()
    assert uploader.count() == 0
    owner.settle()
    owner.page.get_by_text("Friends may use this model").click()
    wait_until(lambda: find(owner.workspace, trained.id).on, "not switched on")
    friend.open(link)
    uploader.wait_for()
    owner.press("Delete the link")
    owner.press("Delete it for good")
    wait_until(lambda: find(owner.workspace, trained.id) is None, "not deleted")
    friend.open(link)
    friend.page.get_by_text(gone).wait_for()
    off = friend.text()
    friend.open("/predict?model=link-" + "a" * 26)
    friend.page.get_by_text(gone).wait_for()
    assert friend.text() == off
    owner.assert_no_fault()
    friend.assert_no_fault()
