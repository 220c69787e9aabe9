"""The store of activations: what goes in comes out, keys keep things apart, half-written packs are unseen."""

import numpy as np
import torch

from core.vision.device import Device, pick_device
from core.vision.features import FeatureStore, activations
from core.vision.model import build_model

CPU = Device("cpu", bf16=False)


def test_rows_come_back_and_missing_ones_are_missing(tmp_path):
    store = FeatureStore.at(tmp_path, weights_id="w", size=64, device=CPU)
    rows = {"a": np.arange(4, dtype=np.float32), "b": np.ones(4, dtype=np.float32)}
    store.save(rows)
    store.save({"c": np.zeros(4, dtype=np.float32)})
    found = store.load(["b", "a", "c", "d"])
    assert set(found) == {"a", "b", "c"}
    assert np.array_equal(found["a"], rows["a"])


def test_size_weights_and_format_are_kept_apart(tmp_path):
    FeatureStore.at(tmp_path, weights_id="w", size=64, device=CPU).save({"a": np.zeros(2, dtype=np.float32)})
    for weights_id, size, device in (("w", 96, CPU), ("v", 64, CPU), ("w", 64, Device("cpu", bf16=True))):
        assert FeatureStore.at(tmp_path, weights_id=weights_id, size=size, device=device).load(["a"]) == {}


def test_a_pack_without_its_index_is_not_seen(tmp_path):
    store = FeatureStore(tmp_path)
    store.save({"a": np.zeros(2, dtype=np.float32)})
    next(tmp_path.glob("*.json")).unlink()
    assert store.load(["a"]) == {}


def test_activations_do_not_depend_on_augmentation_or_mode():
    model = build_model("lite0", ("a", "b"), seed=0)
    model.train()
    pixels = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    once, twice = (torch.cat(list(activations(model, iter([pixels]), CPU))) for _ in range(2))
    assert once.shape == (3, 2560) and once.dtype == torch.float32
    assert torch.equal(once, twice)


def test_a_cpu_is_always_there_and_float32_can_be_asked_for():
    assert pick_device("cpu", "float32") == Device("cpu", bf16=False)
