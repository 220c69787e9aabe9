"""Inside a network: every block of every network is heard, hooks go again, and channels show what excites them."""

import threading

import numpy as np
import pandas as pd
import pytest
import torch

from core.data.events import Progress, Reported
from core.errors import NotFound
from core.interpret import inside
from core.interpret.inside import block_ends, head_inner, listening, responses, some_of_each
from core.interpret.peaks import DEPTHS, KEPT, Peaks, at_depth, block_peaks, load_peaks, loudest, to_npz
from core.settings import Stage, TrainSettings, to_record
from core.train import runs
from core.train.train_run import train_run
from core.vision.backbones import BACKBONES
from core.vision.blocks import BODIES
from core.vision.device import pick_device
from core.vision.model import build_model, pool
from core.workspace import Workspace
from tests.conftest import make_toy

CPU = pick_device("cpu", "float32")


@pytest.fixture(scope="module", params=BACKBONES)
def model(request):
    return build_model(request.param, ("a", "b"), seed=0, pretrained=False).eval()


def noise(count=2, side=64):
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_every_block_of_every_network_is_heard_with_the_shape_that_its_table_says(model):
    blocks = BODIES[model.backbone.name]
    heard = responses(model, noise(), [block.name for block in blocks], device=CPU)
    assert list(block_ends(model)) == [block.name for block in blocks]
    for block in blocks:
        side = max(2, block.side * 64 // 224)
        assert heard[block.name].shape == (2, block.channels, side, side)
        assert heard[block.name].dtype == torch.float32


def test_the_last_block_gives_what_the_head_pools(model):
    last = BODIES[model.backbone.name][-1].name
    heard = responses(model, noise(), [last], device=CPU)[last]
    with torch.no_grad():
        assert torch.allclose(pool(heard), model.pooled(noise()), atol=1e-4)


def test_hooks_are_taken_off_also_when_the_pass_fails(model):
    names = list(block_ends(model))
    with pytest.raises(RuntimeError), listening(model, names):
        model.maps(torch.zeros(1, 5, 64, 64))
    responses(model, noise(1), names, device=CPU)
    assert not any(layer._forward_hooks for layer in model.modules())


def test_what_another_thread_asks_is_not_heard(model):
    first = next(iter(block_ends(model)))
    with listening(model, [first]) as heard:
        other = threading.Thread(target=lambda: model.maps(noise(1)))
        other.start()
        other.join()
        assert heard == {}
        with torch.no_grad():
            model.maps(noise(1))
        assert list(heard) == [first]


def test_early_middle_and_late_are_three_blocks_in_order(model):
    names = [block.name for block in BODIES[model.backbone.name]]
    places = [names.index(at_depth(model.backbone.name, depth).name) for depth in DEPTHS]
    assert places == sorted(set(places)) and places[-1] == len(names) - 1


def test_the_inner_layer_is_what_the_last_layer_scores():
    model = build_model("resnet18", ("a", "b", "c"), seed=0, pretrained=False).eval()
    features = torch.randn(4, 1024)
    inner = head_inner(model, features.numpy(), device=CPU)
    assert inner.shape == (4, 512)
    with torch.no_grad():
        assert torch.allclose(model.head[-1](torch.from_numpy(inner)), model.head(features), atol=1e-4)


# --- what excites a channel


def test_the_pictures_of_a_channel_come_highest_first_with_their_places():
    heights = np.array([[1.0, 5], [3, 5], [2, 7]], dtype=np.float32)  # 3 pictures, 2 channels
    places = np.array([[10, 0], [11, 1], [12, 2]])
    found = block_peaks(heights, places, 4)
    assert found.rows[:, :3].tolist() == [[1, 2, 0], [2, 0, 1]]
    assert found.places[:, :3].tolist() == [[11, 12, 10], [2, 0, 1]]
    assert (found.rows[:, 3:] == -1).all() and found.rows.shape == (2, KEPT)
    assert found.mean == pytest.approx([2, 17 / 3]) and found.spread[0] == pytest.approx(np.sqrt(2 / 3))


def test_a_picture_is_told_by_the_channels_that_it_excites_more_than_others_do():
    rng = np.random.default_rng(0)
    known = block_peaks(rng.normal(size=(50, 4)) + [0, 100, 0, 0], np.zeros((50, 4), dtype=int), 2)
    maps = np.zeros((4, 2, 2))
    maps[1], maps[2, 1, 0], maps[3, 0, 0] = 100, 9, 5
    assert loudest(maps, known, 2) == [2, 3], "channel 1 is loud for every picture"


def test_a_channel_that_answers_to_all_alike_is_never_shown():
    known = block_peaks(np.ones((5, 2)) * [1, 1], np.zeros((5, 2), dtype=int), 2)
    assert loudest(np.ones((2, 2, 2)) * 9, known, 2) == []


def test_some_of_each_class_and_those_to_learn_from_first():
    items = pd.DataFrame({"label": ["a"] * 30 + ["b"] * 4, "split": ["valid", "train"] * 17, "item": range(34)})
    found = some_of_each(items, most=10)
    assert found["label"].value_counts().to_dict() == {"a": 6, "b": 4}
    assert (found.loc[found["label"] == "a", "split"] == "train").all()
    assert found["item"].is_monotonic_increasing
    assert len(some_of_each(items)) == 34


# --- the run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    dataset = make_toy(tmp_path_factory.mktemp("inside"))
    settings = TrainSettings(stages=(Stage(epochs=1),), image_size=64, batch_size=16, device="cpu", precision="float32")
    run = runs.create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings)})
    for _ in train_run(run, lambda: False):
        pass
    return dataset, run


def look_inside(dataset, run, stop=lambda: False):
    made = runs.create_run(dataset.workspace, "inside", {"run": run.id, "dataset": dataset.id})
    return made, list(runs.performer("inside")(made, stop))


def test_a_look_inside_tells_how_far_it_is_and_leaves_a_file(trained):
    dataset, run = trained
    made, events = look_inside(dataset, run)
    assert [event.done for event in events if isinstance(event, Progress)] == [0, 16, 32, 36]
    assert isinstance(events[-1], Reported) and events[-1].found["pictures"] == 36
    peaks = load_peaks(made)
    assert set(peaks.files) == set(dataset.kept()["file"])
    for block in BODIES["lite0"]:
        found = peaks.blocks[block.name]
        assert found.rows.shape == (block.channels, KEPT)
        assert found.rows.max() < 36 and found.places.max() < found.side**2 and found.rows.min() >= 0


def test_what_the_file_says_of_a_picture_is_what_the_network_answers_to_it(trained):
    dataset, run = trained
    made, _ = look_inside(dataset, run)
    peaks, model = load_peaks(made), inside.load_trained(run)
    block = peaks.blocks["blocks.1"]
    picture = next(inside.decode_all([dataset.image_path(peaks.files[block.rows[5, 0]])], 64))
    maps = responses(model.model, picture, ["blocks.1"], device=model.device)["blocks.1"][0, 5]
    assert int(maps.flatten().argmax()) == block.places[5, 0]


def test_a_look_that_is_stopped_leaves_nothing(trained):
    made, events = look_inside(*trained, stop=lambda: True)
    assert len(events) == 1
    with pytest.raises(NotFound):
        load_peaks(made)


def test_peaks_survive_the_disk(tmp_path):
    block = block_peaks(np.random.default_rng(0).normal(size=(3, 5)), np.ones((3, 5), dtype=int), 7)
    run = runs.create_run(Workspace(tmp_path), "inside", {})
    (run.path / "peaks.npz").write_bytes(to_npz(Peaks(("a" * 64, "b" * 64, "c" * 64), {"blocks.0": block})))
    found = load_peaks(run)
    assert found.files == ("a" * 64, "b" * 64, "c" * 64)
    assert np.array_equal(found.blocks["blocks.0"].rows, block.rows) and found.blocks["blocks.0"].side == 7
