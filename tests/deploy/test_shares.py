"""Friends' links: who is let in, what switching off and deleting is worth, and what a wrong id finds."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.deploy.shares import (
    TITLE_MAX,
    change,
    check_title,
    delete,
    find,
    is_share_id,
    list_shares,
    make,
    opened,
)
from core.errors import NotFound, SettingsError
from core.workspace import Workspace, new_id


@pytest.fixture
def mine(tmp_path):
    return Workspace(tmp_path, new_id())


def shared(workspace, model=None, **what):
    share = make(workspace, model or new_id(), **what)
    return change(workspace, share.model, on=True)


def test_a_link_is_off_until_it_is_switched_on(mine):
    share = make(mine, new_id(), title="cat or dog?", threshold=0.8)
    assert opened(mine.home, share.id) is None and not share.on
    on = change(mine, share.model, on=True)
    found = opened(mine.home, share.id)
    assert found == on and (found.owner, found.model) == (mine.owner, share.model)
    assert (found.title, found.threshold) == ("cat or dog?", 0.8)


def test_an_id_is_as_long_as_an_owner_s_and_never_the_model_s(mine):
    ids = {make(mine, new_id()).id for _ in range(20)}
    assert len(ids) == 20 and all(is_share_id(found) for found in ids)
    model = new_id()
    assert model not in make(mine, model).id and not is_share_id(model)


def test_a_model_has_one_link_however_often_it_is_made(mine):
    model = new_id()
    assert make(mine, model).id == make(mine, model, title="another").id
    assert len(list_shares(mine)) == 1


def test_off_deleted_and_unknown_look_the_same(mine):
    off, gone = shared(mine), shared(mine)
    change(mine, off.model, on=False)
    delete(mine, gone.model)
    assert [opened(mine.home, wanted) for wanted in (off.id, gone.id, f"link-{new_id()}")] == [None, None, None]


def test_a_deleted_link_never_comes_back(mine):
    old = shared(mine)
    delete(mine, old.model)
    delete(mine, old.model)  # twice is no fault
    assert find(mine, old.model) is None and list_shares(mine) == []
    new = shared(mine, old.model)
    assert new.id != old.id and opened(mine.home, old.id) is None and opened(mine.home, new.id) == new
    with pytest.raises(NotFound):
        change(mine, new_id(), on=True)


def test_owners_have_nothing_to_do_with_each_other(mine):
    share, other = shared(mine), Workspace(mine.home, new_id())
    assert find(other, share.model) is None and list_shares(other) == []
    delete(other, share.model)
    with pytest.raises(NotFound):
        change(other, share.model, on=False)
    assert opened(mine.home, share.id) == share


def test_an_index_that_names_somebody_else_s_link_opens_nothing_to_its_owner(mine):
    share, other = shared(mine), Workspace(mine.home, new_id())
    path = other.root / "shares" / "links.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"schema": 1, "links": {share.model: share.id}}))
    assert find(other, share.model) is None
    delete(other, share.model)
    assert opened(mine.home, share.id) == share


def test_a_damaged_link_opens_nothing_and_can_be_made_anew(mine):
    share = shared(mine)
    path = mine.home / "shares" / f"{share.id}.json"
    record = json.loads(path.read_text())
    for broken in ("torn", "[]", json.dumps({**record, "more": 1}), json.dumps({**record, "id": f"link-{new_id()}"})):
        path.write_text(broken)
        assert opened(mine.home, share.id) is None
    assert make(mine, share.model).id != share.id


HOSTILE = ["", "..", "link-", "link-../../identity.key", "link-" + "a" * 25, "link-" + "A" * 26, "link-" + "a" * 27]


@pytest.mark.parametrize("wanted", [*HOSTILE, "link-" + "a" * 26 + "\n", "x" + "link-" + "a" * 26, "link-" + "1" * 26])
def test_what_has_not_the_form_of_an_id_is_never_looked_for(tmp_path, wanted, monkeypatch):
    monkeypatch.setattr("core.deploy.shares.read_json", lambda path: pytest.fail(f"{path} was read"))
    assert not is_share_id(wanted) and opened(tmp_path, wanted) is None


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.text(max_size=60))
def test_no_text_finds_a_link_but_its_id(mine, wanted):
    assert opened(mine.home, wanted) is None


def test_words_and_numbers_of_a_link_are_checked(mine):
    model = make(mine, new_id()).model
    assert check_title("  cat\n or\u202e dog? ") == "cat or dog?"
    for wrong in ({"title": "x" * (TITLE_MAX + 1)}, {"threshold": 1.1}, {"threshold": float("nan")}):
        with pytest.raises(SettingsError):
            change(mine, model, **wrong)
    assert change(mine, model, threshold=0.9, title="a").threshold == 0.9
    with pytest.raises(NotFound):
        make(mine, "../../elsewhere")
