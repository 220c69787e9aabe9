"""The band of a finding: the epochs that it speaks of, no others, and nothing where nothing is wrong."""

import pytest

from core.diagnose import Finding
from core.plots.bands import Band, band_area, band_of
from core.plots.style import look

ENDS = [1.0, 2.0, 3.0, 4.0]


def finding(*rows, kind="overfit", severity="warning"):
    return Finding(kind, severity, "It learns by heart", "e", "w", "f", rows)


def test_a_band_reaches_from_where_its_first_epoch_begins_to_where_its_last_one_ends():
    assert band_of(finding(2, 3), ENDS) == Band(2.0, 4.0, "It learns by heart", "overfit")
    assert band_of(finding(0), ENDS) == Band(0.0, 1.0, "It learns by heart", "overfit")
    assert band_of(finding(1), [3.5, 7.0]) == Band(3.5, 7.0, "It learns by heart", "overfit"), "seconds do as well"


def test_an_explosion_in_an_epoch_that_never_ended_is_shown_to_its_last_batch():
    bad = finding(kind="lr_too_high", severity="bad")
    assert band_of(bad, ENDS, until=4.25) == Band(4.0, 4.25, "It learns by heart", "lr_too_high")
    assert band_of(bad, [], until=0.5) == Band(0.0, 0.5, "It learns by heart", "lr_too_high")
    assert band_of(finding(3, severity="bad"), ENDS, until=4.25).last == 4.25


@pytest.mark.parametrize("severity", ["good", "note"])
def test_what_is_not_wrong_has_no_band(severity):
    assert band_of(finding(0, 1, severity=severity), ENDS) is None


@pytest.mark.parametrize("ends", [[], ENDS])
def test_rows_that_are_not_there_have_no_band(ends):
    assert band_of(finding(), ends) is None and band_of(finding(9), ends) is None


@pytest.mark.parametrize(("kind", "colour"), [("lr_too_high", "too_high"), ("lr_too_low", "too_low"),
                                              ("overfit", "attention"), ("anything", "attention")])  # fmt: skip
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_band_has_the_colour_that_means_its_fault_everywhere(kind, colour, theme):
    area = band_area(Band(1, 2, "Title", kind), look(theme))
    assert area["itemStyle"]["color"] == getattr(look(theme), colour)
    assert area["data"][0][0]["name"] == "Title" and area["label"]["show"]
    assert not band_area(Band(1, 2, "Title", kind), look(theme), titled=False)["label"]["show"]
