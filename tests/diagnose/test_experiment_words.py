"""What is said about an experiment: the numbers that were measured, and no difference where chance may have made it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.diagnose.experiment_words import NOT_YET, Count, bar, summary, told_apart
from core.diagnose.experiments import EXPERIMENTS
from core.train.experiment_point import ExperimentPoint


def points(group, value, wrong, *, of=60, found=None, changed=0, classes=()):
    """One point for each seed; `found` of 20 pictures of a thinned class."""
    return [
        ExperimentPoint(
            seq=0,
            group=group,
            value=value,
            seed=seed,
            wrong=one,
            of=of,
            error_rate=one / of,
            valid_loss=1.0,
            thin_recall=None if found is None else found[seed] / 20,
            train=200,
            changed=changed,
            classes=classes,
            thin_of=0 if found is None else 20,
        )
        for seed, one in enumerate(wrong)
    ]


def size(*wrong, values=(0.1, 0.25, 0.5, 1.0)):
    return [one for value, some in zip(values, wrong, strict=True) for one in points("training pictures", value, some)]


def noise(random, biased=None, changed=(0, 20, 40)):
    said = []
    for group, counts in (("random", random), ("biased", biased or [])):
        for place, wrong in enumerate(counts):
            classes = ("cat", "dog") if group == "biased" else ()
            many = min(changed[place], 30) if group == "biased" else changed[place]
            said += points(group, place / 10, wrong, changed=many, classes=classes)
    return said


def balance(**groups):
    names = {"alone": "left alone", "weighted": "weighted", "oversampled": "oversampled"}
    return [
        one
        for key, (wrong, found) in groups.items()
        for one in points(names[key], 0.1, wrong, found=found, changed=7, classes=("cat",))
    ]


def test_the_bar_is_two_pictures_or_two_standard_errors():
    assert bar(Count((0, 0, 0), 60), Count((0, 0, 0), 60)) == 2
    # 30 and 12 of 60: variances of 15 and 9.6 pictures squared
    assert bar(Count((30,), 60), Count((12,), 60)) == pytest.approx(2 * 24.6**0.5)
    # 1, 2 and 3 around 2: the seeds add a third of their variance of 1
    assert Count((1, 2, 3), 60).error ** 2 == pytest.approx(60 * (2 / 60) * (58 / 60) + 1 / 3)
    assert told_apart(Count((0,), 60), Count((2,), 60)) == 0
    assert told_apart(Count((5,), 60), Count((30,), 60)) == 1 and told_apart(Count((30,), 60), Count((5,), 60)) == -1


@given(st.lists(st.integers(0, 40), min_size=1, max_size=4), st.lists(st.integers(0, 40), min_size=1, max_size=4))
def test_telling_apart_has_a_direction_and_never_tells_equals_apart(one, other):
    first, second = Count(tuple(one), 40), Count(tuple(other), 40)
    assert told_apart(first, second) == -told_apart(second, first)
    assert told_apart(first, first) == 0


def test_more_pictures_helped_and_go_on_helping():
    said = summary("size", size((46, 44, 45), (40, 41, 42), (30, 31, 32), (5, 6, 7)))
    assert said == [
        "With 10 % of the training pictures, 45 of 60 (44 to 46) were wrong in the exam; with all, 6 of 60 (5 to 7).",
        "More pictures helped.",
        "From 50 % to all it went from 31 of 60 (30 to 32) to 6 of 60 (5 to 7): it was still getting better, so yet "
        "more pictures are likely to help.",
    ]


def test_more_pictures_helped_but_the_last_ones_no_longer():
    said = summary("size", size((45,), (20,), (7,), (6,)))
    assert said[1] == "More pictures helped."
    assert "from 7 of 60 to 6 of 60: no difference shown" in said[2] and "may help little" in said[2]


def test_the_last_pictures_may_have_done_harm():
    assert "the last ones made it worse" in summary("size", size((58,), (20,), (2,), (30,)))[2]


def test_no_difference_between_few_pictures_and_all():
    said = summary("size", size((8, 9, 10), (9, 9, 9), (8, 8, 8), (7, 7, 8)))
    assert len(said) == 2 and said[1].startswith("No difference shown: they differ by 1.7 of 60 pictures, and chance")


def test_more_pictures_that_make_it_worse_are_named_as_that():
    said = summary("size", size((4,), (5,), (9,), (40,)))
    assert len(said) == 2 and said[1].startswith("More pictures made it worse")


def test_two_amounts_are_compared_without_a_step_between():
    assert summary("size", size((40,), (5,), values=(0.1, 0.25)))[1:] == ["More pictures helped."]


def test_random_noise_that_did_no_harm():
    said = summary("noise", noise([(6, 6, 6), (5, 6, 7), (7, 8, 9)]))
    assert said[0] == (
        "With no label wrong at random, 6 of 60 were wrong in the exam; with 20 % of the labels, 8 of 60 (7 to 9)."
    )
    assert said[1].startswith("The training survived it: no amount did harm that shows, as they differ by 2 of 60")
    assert len(said) == 2


def test_random_noise_that_did_harm_from_some_amount_on():
    said = summary("noise", noise([(6,), (8,), (30,)]))
    assert said[1] == (
        "Up to 10 % of the labels wrong it survived: no difference shown. From 20 % of the labels on it did harm: "
        "30 of 60 instead of 6 of 60."
    )


def test_random_noise_that_did_harm_at_once():
    said = summary("noise", noise([(6,), (25,), (30,)]))
    assert said[1] == "Already 10 % of the labels wrong did harm: 25 of 60 instead of 6 of 60."


@pytest.mark.parametrize(
    ("biased", "verdict"),
    [
        (25, "Mistakes that all point one way did more harm"),
        (9, "The two are not told apart: they differ by 1 of 60"),
        (0, "Here the scattered mistakes did more harm"),
    ],
)
def test_biased_noise_is_judged_beside_as_many_random_mistakes(biased, verdict):
    random = 8 if biased else 15
    said = summary("noise", noise([(6,), (random,), (30,)], [(6,), (biased,), (59,)]))
    assert said[2] == (
        f"With 20 of 200 labels wrong at random, {random} of 60 were wrong in the exam; with as many, all of them cat "
        f"called dog, {biased} of 60."
    )
    assert said[3].startswith(verdict), "at 20 % the biased case has fewer wrong labels, so 10 % is what is compared"


def test_where_no_amount_is_equal_both_numbers_are_said():
    said = summary("noise", noise([(6,), (8,)], [(6,), (25,)], changed=(0, 40)))
    assert (
        "With 40 of 200 labels wrong at random, 8 of 60" in said[2] and "with 30, all of them cat called dog" in said[2]
    )


def test_what_helped_the_thinned_class_and_what_it_did_to_the_others():
    said = summary(
        "balance",
        balance(
            alone=((16, 16, 16), (3, 4, 5)),
            weighted=((14, 14, 14), (15, 16, 17)),
            oversampled=((15, 15, 15), (4, 5, 6)),
        ),
    )
    assert said == [
        "Of the exam's pictures of cat, which kept 7 training pictures, 4 of 20 (3 to 5) were found.",
        "Weighting helped cat: 16 of 20 (15 to 17) found instead of 4 of 20 (3 to 5).",
        "Oversampling, it was 5 of 20 (4 to 6): no difference shown, as they differ by 1 of 20 pictures, and chance "
        "alone can make up to 5.5.",
    ]


def test_what_harmed_the_thinned_class_or_the_whole_exam_is_said():
    said = summary("balance", balance(alone=((10,), (18,)), weighted=((40,), (2,)), oversampled=((0,), (19,))))
    assert said[1:3] == [
        "Weighting harmed cat: 2 of 20 found instead of 18 of 20.",
        "Weighting left more wrong over all classes: 40 of 60 instead of 10 of 60.",
    ]
    assert said[4] == "Oversampling left fewer wrong over all classes: 0 of 60 instead of 10 of 60."


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_points_that_say_nothing_yet_give_one_sentence(name):
    assert summary(name, []) == [NOT_YET]


def test_half_an_experiment_says_what_it_can():
    assert summary("size", size((9,), values=(0.1,))) == [NOT_YET]
    assert summary("noise", noise([(6,)], [(6,)])) == [NOT_YET]
    assert summary("balance", balance(weighted=((9,), (5,)))) == [NOT_YET]
    assert len(summary("balance", balance(alone=((9,), (5,))))) == 1


def test_an_experiment_that_does_not_exist_has_no_sentences():
    with pytest.raises(KeyError):
        summary("nothing", [])
