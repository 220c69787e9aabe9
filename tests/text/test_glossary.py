"""The words: every term is told, every link leads somewhere, and page texts use no term that is not told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import FOLDER, read, sections
from core.text.glossary import ADDRESS, NO_TERMS, entries, linked, search, terms_in
from core.ui.page import PAGES

TEXTS = sorted(file.stem for file in FOLDER.glob("*.md") if file.stem != "glossary")
# what a teacher of the field would call a term; whatever of it stands in a page's words must be in the glossary
JARGON = re.compile(
    r"\b(accuracy|activations?|Adam\w*|arg ?max|augment\w+|autograd|backbone|batch\w*|bfloat16|broadcast\w*|"
    r"calibrat\w+|checkpoints?|confusion matrix|contours?|convolution\w*|cosine|cross-entropy|dropout|eigenvalues?|"
    r"embedding\w*|epochs?|error rate|F1|fine-?tun\w+|froze[nd]?|gradients?|Grad-CAM|head|Hessian|hyper-?parameters?|"
    r"ImageNet|inference|label smoothing|learning rate|log loss|logits?|loss|mini-batch\w*|mixup|momentum|neurons?|"
    r"normalis\w+|occlusion|one-cycle|optimi[sz]ers?|overfit\w*|precision|recall|regulari[sz]\w+|ReLU|restarts|"
    r"SGDR?|softmax|standard errors?|tensors?|transfer learning|underfit\w*|unfr[eo]ez?\w*|weight decay)\b"
)
KNOWN_ELSEWHERE = {"cosine": "a shape of curve that the schedules page draws"}


@pytest.mark.parametrize("slug", entries())
def test_an_entry_is_short_and_its_pages_exist(slug):
    entry = entries()[slug]
    assert 20 <= len(entry.meaning) <= 260, entry.term
    assert len(re.findall(r"[.!?](?:\s|$)", entry.meaning)) <= 3
    assert entry.pages and set(entry.pages) <= PAGES.keys(), entry.pages
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert not entry.formula or entry.formula.startswith("$") or " $" in entry.formula


def test_no_two_entries_claim_one_word():
    words = [word.lower() for entry in entries().values() for word in (entry.term, *entry.also)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("page", [*TEXTS, "glossary"])
def test_page_texts_use_only_terms_that_are_told(page):
    text = "\n".join(read(page, section) for section in sections(page) if section not in ("import_example",))
    for found in JARGON.finditer(text):
        word = found[0]
        assert terms_in(word) or word.lower() in KNOWN_ELSEWHERE, f"{page}.md uses {word!r}, which no entry tells"


@pytest.mark.parametrize("page", TEXTS)
def test_every_link_of_a_page_leads_to_an_entry(page):
    for section in sections(page):
        for slug in re.findall(rf"\]\({re.escape(ADDRESS)}([^)]*)\)", linked(read(page, section))):
            assert slug in entries()


def test_the_first_use_alone_becomes_a_link():
    said = linked("One batch, two batches; the learning\nrate. `batch` $loss$ **loss** [loss](/x)")
    assert said == (
        "One [batch](/glossary?term=batch), two batches; the [learning\nrate](/glossary?term=learning-rate). "
        "`batch` $loss$ **loss** [loss](/x)"
    )
    assert linked("a batch of epochs", but="batch") == "a batch of [epochs](/glossary?term=epoch)"


def test_parts_of_words_are_no_terms():
    assert linked("classic overruns, weightless") == "classic overruns, weightless"


@given(st.text(alphabet="ab `$[]()*#&;\nloss epch", max_size=60))
def test_any_text_keeps_its_words(text):
    assert re.sub(r"\[([^\[\]]*)\]\(/glossary\?term=[a-z0-9-]+\)", r"\1", linked(text)) == text


def test_search_brings_what_begins_with_the_word_first():
    assert [entry.term for entry in search("rate")][:2] != []
    assert search("mini-b")[0].term == "batch" and search("learning")[0].term == "learning rate"
    assert search("zzz") == [] and len(search("  ")) == len(entries())


def test_sections_of_the_page_are_no_entries():
    assert not {name.replace(" ", "-") for name in NO_TERMS} & entries().keys()
