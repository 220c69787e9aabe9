"""Names in a zip: no way out of the folder, nothing hidden or reserved, and no two that some system takes for one."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.layout import is_junk, path_words
from core.data.safe_names import NAME_MAX, safe_name, unique_names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("cat", "cat"),
        ("grizzly bear", "grizzly bear"),
        ("\u00e9t\u00e9 \U0001f43b", "\u00e9t\u00e9 \U0001f43b"),
        ("../../etc/passwd", "_._.._etc_passwd"),
        ("C:\\x", "C__x"),
        ("", "_"),
        (" . ", "_"),
        (".hidden", "_hidden"),
        ("-rf", "_rf"),
        ("~root", "_root"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("Com1", "_Com1"),
        ("lpt\u00b9.jpg", "_lpt\u00b9.jpg"),
        ("console", "console"),
        ("__MACOSX", "___MACOSX"),
        ("thumbs.db", "_thumbs.db"),
        ("dot.", "dot"),
        ("a\nb\x00\u202ec", "a_b__c"),
        ("<b>%{y}|?*", "_b__{y}___"),
    ],
)
def test_a_name_fits_every_system(text, name):
    assert safe_name(text) == name


@given(st.text(max_size=300))
def test_no_text_at_all_is_a_way_out(text):
    name = safe_name(text)
    assert path_words(name) == (name,) and not is_junk((name,))
    assert 1 <= len(name) <= NAME_MAX + 1 and len(name.encode()) <= 2 * NAME_MAX + 1
    assert name == name.strip() and not name.endswith(".") and name[0] not in "-~."
    assert not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in name)
    assert safe_name(name) == name


def test_twins_get_names_of_their_own():
    names = unique_names(["Cat", "cat", "CAT", "cat-2", "\u00e9", "e\u0301", "E\u0301", "\ufb01g", "fig", "a/b", "a:b"])
    folded = [unicodedata.normalize("NFKC", name).casefold() for name in names.values()]
    assert len(set(folded)) == len(names) == 11
    assert names["Cat"] == "Cat" and names["cat"] == "cat-2" and names["cat-2"] == "cat-2-2"


@given(st.lists(st.text(max_size=8), unique=True, max_size=30))
def test_names_are_always_different(texts):
    names = unique_names(texts)
    assert set(names) == set(texts)
    assert len({unicodedata.normalize("NFC", name).casefold() for name in names.values()}) == len(texts)
