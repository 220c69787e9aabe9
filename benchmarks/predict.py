"""How fast a picture is answered through the API, against fastai's `learn.predict` in the same run; loopback only.

    python -m benchmarks.predict [--requests 60] [--clients 30] [--seconds 30] [--flat 1000] [--wait 0]

A server of its own, over a workspace of its own in the class profile, answers about one JPEG of 500 x 375 pixels. Each
client is an owner with a cookie, as in a class. Lite0 is the shipped model. ResNet-34 is brought along with random
numbers for weights: they tell the time and say nothing. fastai asks the same network, when it is installed (it is
needed for nothing else), in a process of its own; the two take turns, and the ratio is what counts on a busy machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image

from benchmarks.common import say_machine
from benchmarks.peers import fastai_version
from core.ui.identity import COOKIE, sign, signing_key
from core.workspace import Workspace, new_id

ROOT = Path(__file__).parents[1]
CLASSES = ("black", "grizzly", "teddy")
EVERY_S = 2.0
ROUNDS = 3
KIND = {"content-type": "image/jpeg"}


@dataclass(frozen=True)
class Server:
    """A server that runs: where, as which process, and over which workspace."""

    url: str
    pid: int
    home: Path

    def cookie(self, owner: str) -> dict[str, str]:
        """What an owner's browser sends along."""
        return {"cookie": f"{COOKIE}={sign(owner, signing_key(self.home))}"}

    def memory_mb(self) -> float:
        """Memory in use, in MB."""
        return float(psutil.Process(self.pid).memory_info().rss) / 2**20


@contextlib.contextmanager
def serving(home: Path) -> Iterator[Server]:
    """A server over `home`, until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    env = {**os.environ, "BEARINGS_HOME": str(home), "BEARINGS_PROFILE": "class", "BEARINGS_API_PER_MINUTE": "100000"}
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    server = Server(f"http://127.0.0.1:{port}", process.pid, home)
    try:
        _wait(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        _end_engine(home)


def _wait(server: Server) -> None:
    limit = time.monotonic() + 120
    while time.monotonic() < limit:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{server.url}/healthz").json()["model"] == "ready":
                time.sleep(5)  # the engine that starts behind it
                return
        time.sleep(0.2)
    raise SystemExit((server.home / "server.log").read_text())


def _end_engine(home: Path) -> None:
    for process in psutil.process_iter(["cmdline"]):
        with contextlib.suppress(psutil.Error):
            command = process.info["cmdline"] or ()
            if "core.jobs.serve" in command and str(home) in command:
                process.terminate()


def photo() -> bytes:
    """A JPEG of 500 x 375 pixels with something to see everywhere."""
    coarse = np.random.default_rng(0).integers(0, 256, (38, 50, 3)).astype("uint8")
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def bring_resnet(home: Path, owner: str, backbone: str) -> str:
    """A model with random weights on the owner's shelf; its id."""
    import torch

    from core.deploy.bundle import Bundle, export_bundle
    from core.deploy.imported import import_model
    from core.train.checkpoint import Checkpoint, model_tensors, tensors_sha256
    from core.vision.model import build_model

    model = build_model(backbone, CLASSES, seed=0, pretrained=False)
    with torch.no_grad():
        model.head[-1].weight.mul_(0.01)
    tensors, version = model_tensors(model, with_body=True), "0" * 64
    meta = {"backbone": backbone, "classes": list(CLASSES), "image_size": 224, "dropout": 0.5, "body": "stored"}
    card = {
        "run": new_id(),
        "classes": list(CLASSES),
        "architecture": {"backbone": backbone, "weights": "random", "body": "stored"},
        "preprocessing": {"size": 224, "mean": list(model.backbone.mean), "std": list(model.backbone.std)},
        "metrics": {"wrong": 0, "of": 0, "valid_loss": 0.0},
        "dataset": {"id": new_id(), "name": "random", "version": version},
        "sha256": tensors_sha256(tensors),
    }
    export_bundle(Bundle(Checkpoint(tensors, meta), card), home / "model.zip")
    return import_model(Workspace(home, owner), home / "model.zip").id


def ask(client: httpx.Client, model: str, picture: bytes) -> float:
    """Milliseconds from sending a picture to having the answer."""
    began = time.perf_counter()
    answer = client.post(f"/api/v1/predict/{model}", content=picture, headers=KIND)
    spent = 1000 * (time.perf_counter() - began)
    if answer.status_code != 200:
        raise SystemExit(f"{answer.status_code}: {answer.text}")
    return spent


def idle_for(seconds: float) -> None:
    """Wait, at most so long, until the cores have little else to do."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and psutil.cpu_percent(2.0) > 30:
        time.sleep(1)


def asked(server: Server, owner: str, model: str, picture: bytes, count: int) -> list[float]:
    """Milliseconds of so many requests, one after the other, once the model is warm."""
    with httpx.Client(base_url=server.url, headers=server.cookie(owner), timeout=60) as client:
        for _ in range(5):
            ask(client, model, picture)
        return [ask(client, model, picture) for _ in range(count)]


def fastai_asked(backbone: str, picture: bytes, count: int) -> list[float]:
    """Milliseconds of so many `learn.predict` on the same picture, in the file it was saved as, once warm."""
    import torchvision
    from fastai.vision.all import ImageDataLoaders, Resize, vision_learner

    with tempfile.TemporaryDirectory() as folder:
        for label in CLASSES:
            (Path(folder) / label).mkdir()
            for number in range(4):
                (Path(folder) / label / f"{number}.jpg").write_bytes(picture)
        path = Path(folder) / CLASSES[0] / "0.jpg"
        loaders = ImageDataLoaders.from_folder(folder, valid_pct=0.25, item_tfms=Resize(224), bs=4, num_workers=0)
        learner = vision_learner(loaders, getattr(torchvision.models, backbone), pretrained=False, normalize=False)
        spent = []
        with learner.no_bar(), learner.no_logging():
            for _ in range(count + 5):
                began = time.perf_counter()
                learner.predict(path)
                spent.append(1000 * (time.perf_counter() - began))
    return spent[5:]


async def _client(
    server: Server, number: int, picture: bytes, until: float, spent: list[float], bad: list[str]
) -> None:
    await asyncio.sleep(EVERY_S * number / 30)
    async with httpx.AsyncClient(base_url=server.url, headers=server.cookie(new_id()), timeout=30) as client:
        while time.monotonic() < until:
            began = time.perf_counter()
            answer = await client.post("/api/v1/predict/demo", content=picture, headers=KIND)
            spent.append(1000 * (time.perf_counter() - began))
            if answer.status_code != 200:
                bad.append(f"{answer.status_code} {answer.text[:100]}")
            await asyncio.sleep(max(0.0, EVERY_S - (time.perf_counter() - began)))


async def crowd(server: Server, clients: int, seconds: float, picture: bytes) -> tuple[list[float], list[str]]:
    """Milliseconds of all requests of so many clients, each with one in two seconds; and what was refused."""
    spent: list[float] = []
    bad: list[str] = []
    until = time.monotonic() + seconds
    await asyncio.gather(*(_client(server, number, picture, until, spent, bad) for number in range(clients)))
    return spent, bad


def _at(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _said(values: Sequence[float]) -> str:
    return f"p50 {statistics.median(values):6.1f} ms   p95 {_at(values, 0.95):6.1f} ms   fastest {min(values):6.1f} ms"


def compare(server: Server, owner: str, model: str, backbone: str, picture: bytes, count: int) -> None:
    """Ours and fastai's in turns; the ratio of the medians."""
    version = fastai_version()
    ours: list[float] = []
    theirs: list[float] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        if version:  # its imports are no part of an answer, and would keep the cores busy beside ours
            pool.submit(fastai_asked, backbone, picture, 1).result()
        for _ in range(ROUNDS):
            ours += asked(server, owner, model, picture, count // ROUNDS)
            if version:
                theirs += pool.submit(fastai_asked, backbone, picture, count // ROUNDS).result()
    print(f"  {backbone}, through the API           {_said(ours)}")
    if not version:
        print("  fastai is not installed; with it (pip install fastai) the comparison is printed as well")
        return
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(f"  {backbone}, learn.predict of fastai   {_said(theirs)}")
    print(f"  fastai takes {ratio:.2f} times as long (asked: 1.5); by the fastest {min(theirs) / min(ours):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=60, help="requests of a measurement")
    parser.add_argument("--clients", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long the clients ask")
    parser.add_argument("--wait", type=float, default=0.0, help="seconds to wait before each table for idle cores")
    parser.add_argument("--flat", type=int, default=1000, help="requests between the two looks at the memory")
    options = parser.parse_args()
    say_machine()
    picture, owner = photo(), new_id()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        model = bring_resnet(home, owner, "resnet34")
        with serving(home) as server:
            idle_for(options.wait)
            print("\none picture of 500 x 375, warm:", flush=True)
            spent = asked(server, owner, "demo", picture, options.requests)
            print(f"  lite0, through the API              {_said(spent)}")
            print("    asked: p50 at most 35 ms on two cores")
            idle_for(options.wait)
            compare(server, owner, model, "resnet34", picture, options.requests)
            idle_for(options.wait)
            before = server.memory_mb()
            for _ in range(options.flat // 100):
                asked(server, owner, "demo", picture, 95)
            print(f"\nmemory: {before:.0f} MB, after {options.flat} requests {server.memory_mb():.0f} MB")
            idle_for(options.wait)
            spent, bad = asyncio.run(crowd(server, options.clients, options.seconds, picture))
            print(f"\n{options.clients} clients, each a picture every {EVERY_S:.0f} s, {len(spent)} requests:")
            print(f"  lite0                               {_said(spent)}")
            print(f"    asked: p95 at most 500 ms, no errors; errors: {len(bad)} {'; '.join(bad[:3])}")


if __name__ == "__main__":
    main()
