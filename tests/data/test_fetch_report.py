"""Reports of a fetch: the last outcome counts, what may do better is offered again, and the file is harmless."""

import csv
import io
import subprocess
import sys
from pathlib import Path

from core.data.events import Fetched, Progress
from core.data.fetch_report import FETCHED_CODES, GOOD, WORTH_RETRYING, failed_rows, outcomes, report_csv
from core.data.url_list import UrlRow

EVENTS = [
    Fetched(0, 2, "cat", "http://a.org/2", "too_slow", "The picture was not there after 10 seconds."),
    Fetched(1, 1, "cat", "http://a.org/1", "failed", "The server does not take the call."),
    Fetched(2, 3, "=cmd()", "http://a.org/3,x", "saved", "The picture was saved.", "ab"),
    Fetched(3, 4, "cat", "http://a.org/4", "not_an_image", "This is not an image."),
    Fetched(4, 5, "cat", "http://a.org/5", "http_status", "The server answered 503."),
    Progress(5, "fetch", 5, 5),
    Fetched(6, 1, "cat", "http://a.org/1", "saved", "The picture was saved.", "cd"),
]


def test_only_what_may_do_better_is_tried_again():
    assert failed_rows(EVENTS) == [UrlRow(2, "cat", "http://a.org/2"), UrlRow(5, "cat", "http://a.org/5")]


def test_the_report_is_safe_in_a_spreadsheet_and_tells_the_last_outcome():
    found = list(csv.DictReader(io.StringIO(report_csv(EVENTS))))
    assert [(row["line"], row["code"], row["file"]) for row in found] == [
        ("1", "saved", "cd"), ("2", "too_slow", ""), ("3", "saved", "ab"), ("4", "not_an_image", ""),
        ("5", "http_status", ""),
    ]  # fmt: skip
    assert found[2]["label"] == "'=cmd()" and found[2]["url"] == "http://a.org/3,x"


def test_every_code_is_known_and_none_is_both_good_and_tried_again():
    assert set(FETCHED_CODES) > GOOD and set(FETCHED_CODES) > WORTH_RETRYING and not GOOD & WORTH_RETRYING
    assert len(outcomes(EVENTS)) == 5


def test_a_report_needs_nothing_that_talks_to_the_network():
    script = (
        "import sys, core.data.fetch_report; print([m for m in ('httpx', 'httpcore', 'AntiSSRF') if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
