"""Generated bear scenes: repeatable, complete, varied, and not told apart by colour alone."""

import pickle
import random
from functools import cache

import numpy as np
import pytest

from core.data.samples.bears import CLASSES, MASK_CODES, PLACES, Scene, draw_scene, draw_scenes, scene_seed
from core.errors import SettingsError

SIZE = 96


@cache
def scenes() -> tuple[Scene, ...]:
    return tuple(draw_scenes(20, seed=0, size=SIZE))


def bear_pixels(scene: Scene) -> np.ndarray:
    return np.asarray(scene.image)[scene.mask == MASK_CODES["bear"]]


def test_same_seed_gives_the_same_bytes():
    first, again = (draw_scene("teddy", seed=12, size=128) for _ in range(2))
    assert first.image.tobytes() == again.image.tobytes()
    assert np.array_equal(first.mask, again.mask)
    assert (first.tags, first.head) == (again.tags, again.head)


def test_another_seed_or_label_gives_another_picture():
    pictures = {draw_scene(label, seed=seed, size=SIZE).image.tobytes() for label in CLASSES for seed in (1, 2)}
    assert len(pictures) == 6


def test_a_scene_does_not_depend_on_how_many_are_drawn_or_what_was_drawn_before():
    few = list(draw_scenes(2, seed=0, size=SIZE))
    assert [s.image.tobytes() for s in few] == [s.image.tobytes() for s in scenes()[:6]]
    alone = draw_scene("grizzly", seed=scene_seed(0, 1), size=SIZE)
    assert alone.image.tobytes() == few[4].image.tobytes()


def test_scene_seeds_of_neighbouring_sets_do_not_repeat():
    assert len({scene_seed(seed, index) for seed in range(20) for index in range(20)}) == 400


def test_a_scene_survives_the_way_through_a_process_pool():
    scene = scenes()[0]
    again = pickle.loads(pickle.dumps(scene))
    assert again.image.tobytes() == scene.image.tobytes()
    assert np.array_equal(again.mask, scene.mask)


def test_global_random_state_is_untouched():
    random.seed(5)
    np.random.seed(5)
    before = random.getstate(), np.random.get_state()
    draw_scene("black", seed=3, size=SIZE)
    assert random.getstate() == before[0]
    assert np.array_equal(np.random.get_state()[1], before[1][1])


def test_every_scene_keeps_its_promises():
    for scene in scenes():
        assert scene.image.mode == "RGB"
        assert scene.image.size == (SIZE, SIZE)
        assert scene.mask.dtype == np.uint8
        assert scene.mask.shape == (SIZE, SIZE)
        assert set(np.unique(scene.mask)) <= set(MASK_CODES.values())
        assert scene.label in CLASSES
        assert scene.tags[:2] == ("bear", scene.label)
        assert 0 <= scene.head[0] < SIZE
        assert 0 <= scene.head[1] < SIZE


def test_every_scene_shows_ground_and_a_visible_bear():
    for scene in scenes():
        assert (scene.mask == MASK_CODES["ground"]).mean() > 0.02
        assert (scene.mask == MASK_CODES["bear"]).mean() > 0.015


def test_sky_is_marked_outdoors():
    outdoors = [s for s in scenes() if {"forest", "snow"} & set(s.tags)]
    assert all((s.mask == MASK_CODES["sky"]).mean() > 0.05 for s in outdoors)


def test_head_lies_on_the_bear():
    on_bear = []
    for scene in scenes():
        rows, columns = np.nonzero(scene.mask == MASK_CODES["bear"])
        x, y = scene.head
        on_bear.append(scene.mask[int(y), int(x)] == MASK_CODES["bear"])
        if "occluded" not in scene.tags:
            assert columns.min() <= x <= columns.max()
            assert rows.min() <= y <= rows.max()
    assert np.mean(on_bear) > 0.85


def test_head_scales_with_the_size_and_the_mask_stays_in_place():
    small, large = (draw_scene("grizzly", seed=8, size=size) for size in (SIZE, 2 * SIZE))
    assert small.tags == large.tags
    assert np.allclose(np.array(large.head), 2 * np.array(small.head))
    assert (large.mask[::2, ::2] == small.mask).mean() > 0.95


def border_contrast(scene: Scene, *, shift: int) -> float:
    """How much the picture changes across the border of the bear, with the mask pushed aside by `shift` pixels."""
    grey = np.asarray(scene.image.convert("L"), dtype=float)
    bear = np.roll(scene.mask == MASK_CODES["bear"], shift, axis=1)
    return np.abs(np.diff(grey, axis=1))[bear[:, 1:] != bear[:, :-1]].mean()


@pytest.mark.parametrize("shift", [-2, -1, 1, 2])
def test_mask_lies_exactly_on_the_bear(shift):
    clear = [s for s in scenes() if not {"fog", "snowing", "rain", "night"} & set(s.tags)]
    assert len(clear) >= 10
    exact, pushed = (np.mean([border_contrast(s, shift=by) for s in clear]) for by in (0, shift))
    assert exact > 1.1 * pushed


def test_sixty_scenes_show_every_place_light_weather_and_pose():
    seen = set().union(*(s.tags for s in scenes()))
    assert {*CLASSES, "forest", "snow", "room", "shelf", "day", "dusk", "night", "rain", "snowing", "fog"} <= seen
    assert {"sitting", "standing", "walking", "head turned", "three-quarter"} <= seen
    assert {"second animal", "occluded", "toy", "bush", "trunk", "box"} <= seen


@pytest.mark.parametrize("label", CLASSES)
def test_every_kind_is_met_in_every_place(label):
    assert all(share >= 0.1 for share in PLACES[label].values())
    assert sum(PLACES[label].values()) == pytest.approx(1)


def test_colour_alone_does_not_tell_the_kinds_apart():
    means = np.array([bear_pixels(s).mean(axis=0) for s in scenes()])
    labels = np.array([s.label for s in scenes()])
    centres = np.array([means[labels == label].mean(axis=0) for label in CLASSES])
    nearest = np.linalg.norm(means[:, None] - centres[None], axis=2).argmin(axis=1)
    assert np.mean(np.array(CLASSES)[nearest] != labels) > 0.25


def test_pictures_are_neither_flat_nor_black():
    for scene in scenes():
        pixels = np.asarray(scene.image, dtype=float)
        assert pixels.mean() > 20
        assert pixels.std() > 12


@pytest.mark.parametrize(("label", "size"), [("polar", 96), ("teddy", 8), ("teddy", 5000)])
def test_an_impossible_request_is_refused_with_a_sentence(label, size):
    with pytest.raises(SettingsError) as fault:
        draw_scene(label, seed=0, size=size)
    assert fault.value.hint
