"""The engine process's own settings: which GPUs, how many threads, how long it waits for something to do."""

import os

import pytest

from core.errors import SettingsError
from core.jobs import serve


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"CUDA_VISIBLE_DEVICES": "2,5"}, ["2", "5"]),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, []),
    ],
)
def test_a_choice_of_gpus_is_respected(environ, expected):
    assert serve.gpus(environ) == expected


@pytest.mark.parametrize(
    ("listing", "expected"),
    [("GPU 0: H200 (UUID: a)\nGPU 1: H200 (UUID: b)\n  MIG 1g (UUID: c)\n", ["0", "1"]), ("No devices found\n", [])],
)
def test_every_gpu_found_gets_a_worker(tmp_path, monkeypatch, listing, expected):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\nprintf '%s' '{listing}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert serve.gpus({}) == expected


def test_a_machine_without_the_driver_has_no_gpus(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert serve.gpus({}) == []


def test_workers_use_every_core_they_may():
    environment = serve.worker_environment()
    cores = str(len(os.sched_getaffinity(0)))
    assert [environment[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")] == [cores] * 3
    assert environment["MALLOC_ARENA_MAX"] == "1"


@pytest.mark.parametrize(("text", "expected"), [("", 600.0), ("2.5", 2.5)])
def test_the_idle_limit_is_read_from_the_environment(text, expected):
    assert serve.idle_limit({"BEARINGS_ENGINE_IDLE_S": text}) == expected


@pytest.mark.parametrize("text", ["soon", "0", "-3", "nan"])
def test_an_idle_limit_that_is_no_time_is_refused(text):
    with pytest.raises(SettingsError, match="BEARINGS_ENGINE_IDLE_S"):
        serve.idle_limit({"BEARINGS_ENGINE_IDLE_S": text})
