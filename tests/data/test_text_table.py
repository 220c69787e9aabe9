"""Tables of any charset and any sign between cells are read with the right line numbers, and written back safely."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.text_table import DELIMITERS, MAX_BYTES, Line, decode, delimiters, guarded, lines, to_csv, unguarded
from core.errors import DataError

TEXT = "file,label\r\nétang.jpg,grüße\r\n"


@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]
)
def test_every_charset_gives_the_same_text(charset):
    assert decode(TEXT.encode(charset)) == TEXT


def test_windows_quotes_are_read_and_bytes_that_windows_does_not_know_too():
    assert decode("“bär”".encode("cp1252")) == "“bär”"
    assert decode(b"b\xe4r \x81") == "bär \x81"
    assert decode(b"") == ""


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"PK\x03\x04rest", "workbook"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1", "not text"),
        (b"a,b\n" * 9 + b"\0", "not text"),
        (b"\xff\xfea", "damaged"),
        (b"a" * (MAX_BYTES + 1), "up to 20 MB"),
    ],
)
def test_what_is_no_text_is_refused_with_a_sentence(data, word):
    with pytest.raises(DataError, match=word) as caught:
        decode(data, what="labels.csv")
    assert caught.value.message.startswith("labels.csv") and caught.value.hint


@pytest.mark.parametrize("sign", DELIMITERS)
def test_the_sign_between_cells_is_found(sign):
    text = f"file{sign}label\na.jpg{sign}cat\nb.jpg{sign}dog\n"
    assert delimiters(text)[0] == sign and delimiters(text)[-1] == ""
    assert lines(text, sign)[1] == Line(2, ("a.jpg", "cat"))


def test_a_rare_comma_does_not_beat_the_semicolon_of_every_line():
    assert delimiters("a,b.jpg;cat\nc.jpg;dog\nd.jpg;dog\n")[0] == ";"
    assert delimiters("one\ntwo\n") == [""] == delimiters("")
    assert delimiters("sep=;\na,b;c,d\n") == [";", ""]
    assert lines("sep=;\na;b\n", ";") == [Line(2, ("a", "b"))]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_numbers_count_blank_lines_and_lines_inside_quotes(end):
    text = end.join(["a,b", "", " ,", '"c', 'd",e', "f , g", ""])
    assert lines(text, ",") == [
        Line(1, ("a", "b")),
        Line(4, (f"c{end}d", "e")),
        Line(6, ("f", "g")),
    ]


def test_quotes_are_read_as_csv_and_a_lone_one_swallows_nothing():
    assert lines('"a, ""b""",c\n', ",")[0].cells == ('a, "b"', "c")
    assert [line.cells for line in lines('5" plate.jpg,x\n"open.jpg,y\nz.jpg,w\n', ",")] == [
        ('5" plate.jpg', "x"),
        ('"open.jpg', "y"),
        ("z.jpg", "w"),
    ]


def test_an_endless_line_is_refused_with_its_number():
    with pytest.raises(DataError, match="Line 2 is longer"):
        lines("a,b\n" + "x" * 200_000, ",")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "'=1", "''-"])
def test_no_cell_is_written_as_a_formula(cell):
    assert guarded(cell) == f"'{cell}" and unguarded(guarded(cell)) == cell


@given(st.text())
def test_guarding_is_undone_exactly(cell):
    assert unguarded(guarded(cell)) == cell
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_ordinary_cells_stay_as_they_are():
    assert [guarded(cell) for cell in ("cat", "'tis", "", "a=b")] == ["cat", "'tis", "", "a=b"]


def test_what_is_written_is_read_back():
    rows = [("a,b.jpg", 'say "hi"'), ("=x", "line\nbreak")]
    found = list(csv.reader(io.StringIO(to_csv(("file", "label"), rows), newline="")))
    assert [tuple(unguarded(cell) for cell in row) for row in found] == [("file", "label"), *rows]
