"""The glossary and the way through the lessons in a real browser."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_a_word_in_the_small_print_leads_to_its_entry(visitor):
    visitor.open("/diagnose")
    visitor.page.get_by_text("Behind it").click()
    link = visitor.page.locator('a[href^="/glossary?term="]').first
    word = link.inner_text()
    with visitor.context.expect_page() as opened:
        link.click()
    page = opened.value
    card = page.locator(".st-key-card-term")
    card.wait_for()
    assert page.url.endswith(link.get_attribute("href").rsplit("/", 1)[1]) and word
    assert card.locator("h3").is_visible()
    page.close()
    visitor.assert_no_fault()


def test_a_piece_of_a_word_finds_all_that_hold_it(visitor):
    visitor.open("/glossary")
    field = visitor.page.get_by_label("Look for")
    field.fill("rate")
    field.press("Enter")
    visitor.page.get_by_text("gradient descent", exact=True).first.wait_for(state="detached")
    assert visitor.page.get_by_text("learning rate finder", exact=True).is_visible()
    field.fill("zzz")
    field.press("Enter")
    visitor.page.get_by_text("There is no such word here").wait_for()
    visitor.assert_no_fault()


def test_home_leads_to_the_next_step(visitor):
    visitor.open("/")
    way = visitor.page.locator(".st-key-card-journey")
    way.get_by_text("steps done").wait_for()
    way.get_by_role("button").first.click()
    visitor.page.wait_for_url(lambda address: not address.rstrip("/").endswith(f":{visitor.server.port}"))
    visitor.assert_no_fault()


def test_the_words_fit_a_phone(phone):
    phone.open("/glossary?term=learning-rate")
    phone.page.locator(".st-key-card-term").wait_for()
    widths = phone.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
    phone.assert_no_fault()
