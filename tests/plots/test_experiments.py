"""The figure of an experiment: every training is a dot, each group keeps its look, and half an experiment is drawn."""

import json

import pytest

from core.diagnose.experiments import EXPERIMENTS
from core.plots.experiments import BAND, DOTS, LOWEST, MEAN, MISSED, WRONG, experiment_figure
from core.plots.style import SLOT_LINES, SLOT_MARKS, look
from core.train.experiment_point import ExperimentPoint


def points_of(name):
    """Points whose error grows with value, group and seed: no two of a place are equal."""
    experiment = EXPERIMENTS[name]
    return [
        ExperimentPoint(
            seq=0,
            group=setup.group,
            value=setup.value,
            seed=setup.seed,
            wrong=wrong,
            of=50,
            error_rate=wrong / 50,
            valid_loss=1.0,
            thin_recall=(8 - setup.seed) / 10 if name == "balance" else None,
            thin_of=10 if name == "balance" else 0,
        )
        for setup in experiment.setups
        for wrong in [round(10 * setup.value) + 3 * experiment.groups.index(setup.group) + 2 * setup.seed]
    ]


def series(spec, group, kind, panel=0):
    [found] = [one for one in spec["series"] if one["name"] == f"{group}, {kind}" and one["xAxisIndex"] == panel]
    return found


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_figure_is_plain_json_with_named_axes_from_zero_up_and_all_trainings_as_dots(name, theme):
    experiment, points = EXPERIMENTS[name], points_of(name)
    spec = experiment_figure(name, points, look(theme))
    json.dumps(spec, allow_nan=False)
    assert [axis["name"] for axis in spec["yAxis"]] == ([WRONG, MISSED] if name == "balance" else [WRONG])
    assert all(axis["min"] == 0 for axis in spec["yAxis"])
    assert all(axis["name"] == experiment.axis for axis in spec["xAxis"])
    dots = [y for group in experiment.groups for _, y in series(spec, group, DOTS)["data"]]
    assert sorted(dots) == pytest.approx(sorted(100 * point.error_rate for point in points))


@pytest.mark.parametrize("name", ["size", "noise"])
def test_the_mean_and_the_band_from_lowest_to_highest_lie_over_the_values(name):
    experiment, spec = EXPERIMENTS[name], experiment_figure(name, points_of(name), look())
    assert spec["xAxis"][0]["data"] == [f"{100 * value:g}" for value in experiment.values]
    for place, group in enumerate(experiment.groups):
        lowest = [2 * (round(10 * value) + 3 * place) for value in experiment.values]
        assert series(spec, group, LOWEST)["data"] == lowest
        assert series(spec, group, BAND)["data"] == [8.0] * len(lowest), "seeds differ by 4 pictures of 50"
        assert series(spec, group, MEAN)["data"] == [low + 4 for low in lowest]
        stacks = [series(spec, group, kind)["stack"] for kind in (LOWEST, BAND)]
        assert stacks[0] == stacks[1] and series(spec, group, LOWEST)["areaStyle"]["opacity"] == 0


def test_with_one_value_the_groups_stand_side_by_side_and_the_thinned_class_has_its_own_figure():
    experiment, spec = EXPERIMENTS["balance"], experiment_figure("balance", points_of("balance"), look())
    assert len(spec["grid"]) == 2 and all(axis["data"] == list(experiment.groups) for axis in spec["xAxis"])
    assert series(spec, "weighted", MEAN)["data"] == [None, 12.0, None]
    assert series(spec, "weighted", MEAN, 1)["data"] == [None, 30.0, None]
    assert series(spec, "oversampled", DOTS, 1)["data"] == [[2, 20.0], [2, 30.0], [2, 40.0]]
    assert series(spec, "oversampled", BAND, 1)["data"] == [None, None, 20.0]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_groups_differ_in_colour_line_and_mark_and_the_legend_names_their_means(name):
    groups, spec = EXPERIMENTS[name].groups, experiment_figure(name, points_of(name), look())
    means = [series(spec, group, MEAN) for group in groups]
    assert [mean["symbol"] for mean in means] == list(SLOT_MARKS[: len(groups)])
    assert [mean["lineStyle"]["color"] for mean in means] == list(look().slots[: len(groups)])
    assert [mean["lineStyle"]["type"] for mean in means] == list(SLOT_LINES[: len(groups)])
    assert spec["legend"]["data"] == [mean["name"] for mean in means]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_half_an_experiment_and_none_of_it_are_drawn_with_gaps(name):
    points = points_of(name)
    for some in (points[:1], []):
        spec = experiment_figure(name, some, look())
        json.dumps(spec, allow_nan=False)
        means = [series(spec, group, MEAN)["data"] for group in EXPERIMENTS[name].groups]
        assert sum(value is not None for mean in means for value in mean) == len(some)


def test_an_experiment_that_does_not_exist_has_no_figure():
    with pytest.raises(KeyError):
        experiment_figure("nothing", [], look())
