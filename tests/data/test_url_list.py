"""Lists of addresses: every charset and spelling gives the same rows, and what cannot be used is named by line."""

import time

import pytest

from core.data.url_list import MAX_ROWS, MAX_URL, Problem, UrlRow, parse, plain_url
from core.errors import DataError

A, B, C = "http://a.org/1.jpg", "https://b.org/2.png?w=10&sig=x%2Fy", "https://ü.example/drei.jpg"
COMMA = "https://img.org/w_300,h_200/bär.jpg?crop=1,2,3;4"
PLAIN = [(1, "cat", A), (2, "dog", B)]

CORPUS = {
    "addresses alone": (f"{A}\n{B}", "x", [(1, "x", A), (2, "x", B)]),
    "label first": (f"cat,{A}\ndog,{B}", None, PLAIN),
    "label first, blanks": (f"  cat , {A}  \n dog ,   {B} ", None, PLAIN),
    "tabs": (f"cat\t{A}\ndog\t{B}", None, PLAIN),
    "tabs, address first": (f"{A}\tcat\n{B}\tdog", None, PLAIN),
    "semicolons": (f"cat;{A}\ndog;{B}", None, PLAIN),
    "quotes": (f'"cat","{A}"\n"dog","{B}"', None, PLAIN),
    "quotes, address first": (f'"{A}","cat"\n"{B}","dog"', None, PLAIN),
    "carriage returns": (f"cat,{A}\r\ndog,{B}\r\n", None, PLAIN),
    "old carriage returns": (f"cat,{A}\rdog,{B}\r", None, PLAIN),
    "a mark in front": (f"\ufeffcat,{A}\ndog,{B}", None, PLAIN),
    "blank lines": (f"\n\n{A}\n   \n\t\n{B}\n\n", "x", [(3, "x", A), (6, "x", B)]),
    "comments": (f"# mine\n{A}\n  # {B}\n", "x", [(2, "x", A)]),
    "header of two": (f"label,url\ncat,{A}\ndog,{B}", None, [(2, "cat", A), (3, "dog", B)]),
    "header of one": (f"url\n{A}\n{COMMA}", "x", [(2, "x", A), (3, "x", COMMA)]),
    "header, address first": (f"URL,Class\n{A},cat\n{COMMA},dog", None, [(2, "cat", A), (3, "dog", COMMA)]),
    "header, more columns": (f"id\timage_url\tlabel\tnote\n7\t{A}\tcat\tx", None, [(2, "cat", A)]),
    "header, semicolons": (f"label;url\ncat;{A}\ndog;{COMMA}", None, [(2, "cat", A), (3, "dog", COMMA)]),
    "header, label missing in a line": (f"label,url\n,{A}", "x", [(2, "x", A)]),
    "commas in an address": (f"{COMMA}\n{A}", "x", [(1, "x", COMMA), (2, "x", A)]),
    "commas in an address with a label": (f"bear,{COMMA}", None, [(1, "bear", COMMA)]),
    "a comma in a label": (f'"bear, black",{A}\nbear, brown,{B}', None, [(1, "bear, black", A), (2, "bear, brown", B)]),
    "an address within an address": (f"{A}?u=,http://c.org/", "x", [(1, "x", f"{A}?u=,http://c.org/")]),
    "pasted from a program": (f'"{A}",\n\'{B}\',\n', "x", [(1, "x", A), (2, "x", B)]),
    "angle brackets": (f"<{A}>\ncat,<{B}>", "x", [(1, "x", A), (2, "cat", B)]),
    "a label of its own wins": (f"cat,{A}\n{B}", "x", [(1, "cat", A), (2, "x", B)]),
    "labels are normalised": (f" ｃａｔ\u200b  house ,{A}", None, [(1, "cat house", A)]),
    "what follows # is dropped": (f"{A}#top\n{B}", "x", [(1, "x", A), (2, "x", B)]),
    "blanks in an address": ("http://a.org/my cat.jpg", "x", [(1, "x", "http://a.org/my cat.jpg")]),
    "capitals": ("HTTP://A.org/X.JPG", "x", [(1, "x", "HTTP://A.org/X.JPG")]),
    "nothing": ("\n \n# nothing\n", "x", []),
}  # fmt: skip


@pytest.mark.parametrize("name", CORPUS)
def test_a_list_gives_its_rows(name):
    text, label, rows = CORPUS[name]
    found = parse(text, label=label)
    assert (list(found.rows), found.problems) == ([UrlRow(*row) for row in rows], ())


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_every_charset_gives_the_same_rows(charset):
    text = f"label,url\r\nBär,{A}\r\ncafé,{C}\r\n"
    assert parse(text.encode(charset), label=None) == parse(text, label=None)
    assert [row.label for row in parse(text, label=None).rows] == ["Bär", "café"]


@pytest.mark.parametrize(("line", "words"), [
    (f"http://a.org/{'x' * MAX_URL}", "4,096"),
    ("http://a.org/" + "x" * 20_000, "20,013 characters"),
    ("ftp://a.org/1.jpg", "http://"),
    ("cat,file:///etc/passwd", "http://"),
    ("data:image/png;base64,AAAA", "http://"),
    ("www.a.org/1.jpg", "http://"),
    ("cat", "label, a comma"),
    ("http://", "http://"),
    (A, "names no class"),
    (f",{A}", "names no class"),
    (f"\u200b,{A}", "visible"),
    (f"{'x' * 65},{A}", "64"),
    (f"cat,{A} {B}", "several"),
    ("cat,http://a.org\\@127.0.0.1/", "backslash"),
    ("cat,http://me:secret@a.org/1.jpg", "password"),
    ("cat,http://a.org/\x01.jpg", "invisible"),
])  # fmt: skip
def test_a_line_that_cannot_be_used_is_named_with_its_number(line, words):
    found = parse(f"cat,{A}\n\n{line}\ndog,{B}", label=None)
    assert [row.line for row in found.rows] == [1, 4]
    assert [problem.line for problem in found.problems] == [3]
    assert words in found.problems[0].reason and "secret" not in found.problems[0].reason


def test_a_line_with_too_few_columns_is_a_problem_of_its_own():
    found = parse(f"label,url\ncat\ndog,{A}", label="x")
    assert found.rows == (UrlRow(3, "dog", A),)
    assert found.problems == (Problem(2, "The line has fewer columns than the first line names."),)


def test_the_same_address_counts_once_per_class():
    found = parse(f"{A}\n{A}#again\ncat,{A}\n{A}", label="dog")
    assert found.rows == (UrlRow(1, "dog", A), UrlRow(3, "cat", A))
    assert found.duplicates == 2 and "2 addresses were in the list twice" in found.notes[0]


def test_a_very_long_list_is_cut_quickly_and_says_so():
    text = "".join(f"http://a.org/{number}.jpg\n" for number in range(100_000)).encode()
    began = time.perf_counter()
    found = parse(text, label="x")
    assert time.perf_counter() - began < 10
    assert len(found.rows) == MAX_ROWS and found.over == 98_000 and "98,000" in found.notes[0]


def test_many_problems_are_cut_too():
    found = parse("nothing\n" * 10_000, label="x")
    assert len(found.problems) == 500 and "9,500 more lines" in found.notes[0]


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0", b"PK\x03\x04rest", b"\0\x01\x02\x03"])
def test_what_is_no_text_is_refused_as_a_whole(data):
    with pytest.raises(DataError):
        parse(data, label="x")


def test_a_class_name_that_is_none_is_refused():
    with pytest.raises(DataError):
        parse(A, label=" ")


@pytest.mark.parametrize(("url", "shown"), [
    ("http://me:secret@a.org/1.jpg?sig=1#x", "http://a.org/1.jpg?sig=1"),
    ("http://me@evil@a.org/", "http://a.org/"),
    ("http://a.org/?mail=me@b.org", "http://a.org/?mail=me@b.org"),
    ("http://a.org/\u202egpj.exe", "http://a.org/\ufffdgpj.exe"),
])  # fmt: skip
def test_an_address_is_shown_without_secrets_and_tricks(url, shown):
    assert plain_url(url) == shown
