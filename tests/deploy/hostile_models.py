"""Files that say they are models: each runs code, lies, or wastes memory when somebody believes it.

`make(name, folder, marker)` writes one of them; whoever runs its code makes the file `marker`.
"""

from __future__ import annotations

import copy
import functools
import gzip
import io
import json
import os
import pickle
import struct
import warnings
import zipfile
from pathlib import Path

import torch

from core.deploy.bundle import export_bundle
from tests.deploy.bundles import random_bundle, rewrite

CARD, WEIGHTS = "bearings.json", "model.safetensors"
GOOD = "good.zip"


class Payload:
    """A pickle of this makes a file when it is opened."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


@functools.cache
def good_bytes():
    """A bundle that is in order, as bytes."""
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"bearings-good-{os.getpid()}.zip"
    try:
        export_bundle(random_bundle(), path)
        return path.read_bytes()
    finally:
        path.unlink(missing_ok=True)


def _good(folder):
    path = folder / GOOD
    path.write_bytes(good_bytes())
    return path


def _member(name):
    with zipfile.ZipFile(io.BytesIO(good_bytes())) as archive:
        return archive.read(name)


def _with_card(folder, change):
    card = json.loads(_member(CARD))
    change(card)
    return rewrite(_good(folder), folder / "x.zip", {CARD: json.dumps(card).encode()})


def _with_header(folder, change):
    """The weights with another head: `change` gets it as a dictionary, and may return raw bytes instead."""
    data = _member(WEIGHTS)
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    raw = change(header)
    text = raw if isinstance(raw, bytes) else json.dumps(header).encode()
    made = struct.pack("<Q", len(text)) + text + data[8 + size :]
    return rewrite(_good(folder), folder / "x.zip", {WEIGHTS: made})


def _zip(folder, members, name="x.zip", **options):
    with zipfile.ZipFile(folder / name, "w", **options) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return folder / name


def _file(folder, name, data):
    (folder / name).write_bytes(data)
    return folder / name


def pickle_with_our_ending(folder, marker):
    return _file(folder, "x.zip", pickle.dumps(Payload(marker), protocol=4))


def pickle_of_the_oldest_kind(folder, marker):
    return _file(folder, "x.zip", pickle.dumps(Payload(marker), protocol=0))


def pickle_named_safetensors(folder, marker):
    return _file(folder, "model.safetensors", pickle.dumps(Payload(marker)))


def pickle_in_place_of_the_weights(folder, marker):
    return rewrite(_good(folder), folder / "x.zip", {WEIGHTS: pickle.dumps(Payload(marker))})


def pickle_in_place_of_the_card(folder, marker):
    return rewrite(_good(folder), folder / "x.zip", {CARD: pickle.dumps(Payload(marker))})


def pickle_beside_the_weights(folder, marker):
    return rewrite(_good(folder), folder / "x.zip", {"extra.pkl": pickle.dumps(Payload(marker))})


def torch_save(folder, marker):
    torch.save({"model": Payload(marker)}, folder / "x.pth")
    return folder / "x.pth"


def torch_save_of_the_old_kind(folder, marker):
    torch.save({"model": Payload(marker)}, folder / "x.pth", _use_new_zipfile_serialization=False)
    return folder / "x.pth"


def torchscript(folder, marker):
    members = {"x/constants.pkl": pickle.dumps(Payload(marker)), "x/code/__torch__.py": "import os", "x/version": "3"}
    return _zip(folder, members, "x.pt")


def torch_export(folder, marker):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(1, 2),))
        torch.export.save(program, str(folder / "x.pt2"))
    return folder / "x.pt2"


def keras_with_code(folder, marker):
    code = json.dumps({"class_name": "Lambda", "config": {"function": f"__import__('os').mkdir({str(marker)!r})"}})
    return _zip(
        folder, {"config.json": code, "metadata.json": "{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n"}, "x.keras"
    )


def keras_of_the_old_kind(folder, marker):
    return _file(folder, "x.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 200)


def onnx(folder, marker):
    return _file(folder, "x.onnx", b"\x08\x0a\x12\x07pytorch\x1a\x052.1.0" + b"\0" * 64)


def bare_safetensors(folder, marker):
    return _file(folder, "x.safetensors", _member(WEIGHTS))


def gzip_of_a_bundle(folder, marker):
    return _file(folder, "x.zip", gzip.compress(good_bytes()[:10_000]))


def head_longer_than_the_file(folder, marker):
    return rewrite(_good(folder), folder / "x.zip", {WEIGHTS: struct.pack("<Q", 2**62) + b"{}"})


def head_of_a_hundred_megabytes(folder, marker):
    return _with_header(folder, lambda header: b" " * (2 * 2**20) + b"{}")


def head_nested_without_end(folder, marker):
    return _with_header(folder, lambda header: b'{"a":' * 100_000 + b"1" + b"}" * 100_000)


def head_that_is_a_list(folder, marker):
    return _with_header(folder, lambda header: b"[1]")


def head_with_a_name_twice(folder, marker):
    def twice(header):
        text = json.dumps(header)
        name = next(name for name in header if name != "__metadata__")
        return f"{text[:-1]}, {json.dumps(name)}: {json.dumps(header[name])}}}".encode()

    return _with_header(folder, twice)


def _first_two(header):
    spans = sorted((entry["data_offsets"], name) for name, entry in header.items() if name != "__metadata__")
    return [name for _, name in spans[:2]]


def offsets_below_zero(folder, marker):
    def change(header):
        name = _first_two(header)[0]
        length = header[name]["data_offsets"][1]
        header[name]["data_offsets"] = [-length, 0]

    return _with_header(folder, change)


def offsets_that_overlap(folder, marker):
    def change(header):
        first, second = _first_two(header)
        start, end = header[second]["data_offsets"]
        header[second]["data_offsets"] = [start - 4, end - 4]
        assert header[first]["data_offsets"][1] == start

    return _with_header(folder, change)


def offsets_beyond_the_end(folder, marker):
    def change(header):
        name = max((name for name in header if name != "__metadata__"), key=lambda name: header[name]["data_offsets"])
        start, end = header[name]["data_offsets"]
        header[name]["data_offsets"] = [start + 2**40, end + 2**40]

    return _with_header(folder, change)


def offsets_that_are_true(folder, marker):
    def change(header):
        header["head.0.num_batches_tracked"]["data_offsets"] = [False, True]

    return _with_header(folder, change)


def shape_of_a_petabyte(folder, marker):
    return _with_header(folder, lambda header: header["head.2.weight"].update(shape=[2**25, 2**25]))


def shape_of_another_network(folder, marker):
    return _with_header(folder, lambda header: header["head.2.weight"].update(shape=[1024, 512]))


def shape_in_fractions(folder, marker):
    return _with_header(folder, lambda header: header["head.2.weight"].update(shape=[512.0, 1024.0]))


def type_of_another_length(folder, marker):
    return _with_header(folder, lambda header: header["head.2.weight"].update(dtype="F64"))


def tensor_too_many(folder, marker):
    def change(header):
        header["../../evil"] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}

    return _with_header(folder, change)


def tensor_lacking(folder, marker):
    return _with_header(folder, lambda header: header.pop("head.6.weight") and None)


def one_flipped_bit(folder, marker):
    data = bytearray(_member(WEIGHTS))
    data[-1000] ^= 1
    return rewrite(_good(folder), folder / "x.zip", {WEIGHTS: bytes(data)})


def another_hash(folder, marker):
    return _with_card(folder, lambda card: card.update(sha256="0" * 64))


def hash_that_is_none(folder, marker):
    return _with_card(folder, lambda card: card.update(sha256="../../etc/passwd"))


def weights_cut_off(folder, marker):
    return rewrite(_good(folder), folder / "x.zip", {WEIGHTS: _member(WEIGHTS)[:-4096]})


def weights_with_more_behind(folder, marker):
    return rewrite(_good(folder), folder / "x.zip", {WEIGHTS: _member(WEIGHTS) + b"#!/bin/sh\n"})


def weights_that_are_no_numbers(folder, marker):
    bundle = random_bundle()
    tensors = {**bundle.checkpoint.tensors, "head.6.weight": torch.full((3, 512), float("nan"))}
    return _resealed(folder, bundle, tensors)


def weights_beyond_all_numbers(folder, marker):
    bundle = random_bundle()
    tensors = {**bundle.checkpoint.tensors}
    tensors["head.6.weight"] = torch.full_like(tensors["head.6.weight"], 3e38)
    tensors["head.2.weight"] = torch.full_like(tensors["head.2.weight"], 3e38)
    return _resealed(folder, bundle, tensors)


def _resealed(folder, bundle, tensors):
    """A bundle of other numbers whose hash is right."""
    from core.deploy.bundle import Bundle, write_bundle
    from core.train.checkpoint import Checkpoint, tensors_sha256

    card = {**copy.deepcopy(dict(bundle.card)), "sha256": tensors_sha256(tensors)}
    write_bundle(Bundle(Checkpoint(tensors, bundle.checkpoint.meta), card), folder / "x.zip")
    return folder / "x.zip"


def name_that_leaves_the_folder(folder, marker):
    return rewrite(_good(folder), folder / "x.zip", {f"../../{marker.name}": b"x"})


def name_from_the_root(folder, marker):
    return rewrite(_good(folder), folder / "x.zip", {str(marker): b"x"})


def nested_zip(folder, marker):
    return _zip(folder, {"bundle.zip": good_bytes()})


def name_twice(folder, marker):
    path = _good(folder)
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(CARD, b"{}")
    return path


def card_that_is_a_bomb(folder, marker):
    return rewrite(_good(folder), folder / "x.zip", {CARD: b" " * (300 * 2**20)}, zipfile.ZIP_DEFLATED)


def weights_that_are_a_bomb(folder, marker):
    return rewrite(_good(folder), folder / "x.zip", {WEIGHTS: b"\0" * (300 * 2**20)}, zipfile.ZIP_DEFLATED)


def card_nested_without_end(folder, marker):
    return rewrite(_good(folder), folder / "x.zip", {CARD: b"[" * 200_000})


def card_with_a_number_too_long(folder, marker):
    return rewrite(_good(folder), folder / "x.zip", {CARD: b'{"schema": ' + b"9" * 5000 + b"}"})


def unknown_backbone(folder, marker):
    return _with_card(folder, lambda card: card["architecture"].update(backbone="os.system"))


def backbone_that_is_a_list(folder, marker):
    return _with_card(folder, lambda card: card["architecture"].update(backbone=["lite0"]))


def newer_schema(folder, marker):
    return _with_card(folder, lambda card: card.update(schema=99))


def schema_that_is_none(folder, marker):
    return _with_card(folder, lambda card: card.update(schema=True))


def class_name_that_hides(folder, marker):
    return _with_card(folder, lambda card: card.update(classes=["black", "griz\u202ezly", "teddy"]))


def class_name_without_end(folder, marker):
    return _with_card(folder, lambda card: card.update(classes=["x" * 10**5, "b", "c"]))


def class_names_that_are_the_same(folder, marker):
    return _with_card(folder, lambda card: card.update(classes=["black", "black", "teddy"]))


def classes_without_end(folder, marker):
    return _with_card(folder, lambda card: card.update(classes=[str(number) for number in range(10**5)]))


def class_that_is_no_text(folder, marker):
    return _with_card(folder, lambda card: card.update(classes=[{"a": 1}, "b", "c"]))


def picture_size_without_end(folder, marker):
    return _with_card(folder, lambda card: card["preprocessing"].update(size=2**20))


def pixels_on_another_scale(folder, marker):
    return _with_card(folder, lambda card: card["preprocessing"].update(mean=[0.1, 0.1, 0.1]))


def pixels_on_no_scale(folder, marker):
    return _with_card(folder, lambda card: card["preprocessing"].update(std=[0, 1e400, "x"]))


def more_mistakes_than_pictures(folder, marker):
    return _with_card(folder, lambda card: card["metrics"].update(wrong=61))


def run_that_is_a_path(folder, marker):
    return _with_card(folder, lambda card: card.update(run="../../../etc"))


_HELPERS = {"good_bytes", "make"}
HOSTILE = {
    name: made
    for name, made in list(globals().items())
    if callable(made) and getattr(made, "__module__", "") == __name__ and not name.startswith("_")
    and name not in _HELPERS and not isinstance(made, type)
}  # fmt: skip
