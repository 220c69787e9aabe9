"""What runs do that make or grow a data set: a run's request in, events out. Training itself is in learner.py."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from core.data.growth import extend
from core.data.ingest import import_source
from core.data.loose import foldered_pictures, loose_pictures
from core.data.samples import make_sample
from core.data.table import load_dataset
from core.data.url_list import UrlRow
from core.settings import AppSettings, ImportSettings
from core.train.events import Event
from core.train.runs import Run, Stop, read_events


def perform_import(run: Run, stop: Stop) -> Iterator[Event]:
    """Make a data set from the folder or zip of the request, with its labels.csv where it names one."""
    request = run.request
    settings = ImportSettings(valid_share=request["valid_share"], seed=request["seed"])
    source, labels = Path(request["source"]), request.get("labels")
    table = Path(labels) if labels else None
    with contextlib.ExitStack() as afterwards:
        for upload in (source, table) if request["delete_source"] else ():
            if upload is not None:
                afterwards.enter_context(_used_up(run, upload))
        yield from import_source(
            run.workspace, source, name=request["name"], settings=settings, labels=table, stop=stop
        )


def perform_add(run: Run, stop: Stop) -> Iterator[Event]:
    """Bring the pictures of the request's folder or zip into a data set: into its class, or by folders without one."""
    request = run.request
    source, label = Path(request["source"]), request["label"]
    words = f"added pictures to {label}" if label else "added pictures by their folders"
    with _used_up(run, source) if request["delete_source"] else contextlib.nullcontext():
        dataset = load_dataset(run.workspace, request["dataset"])
        with loose_pictures(source, label=label) if label else foldered_pictures(source) as (pictures, total):
            yield from extend(dataset, pictures, source=request["origin"], words=words, total=total, stop=stop)


def perform_fetch(run: Run, stop: Stop) -> Iterator[Event]:
    """Fetch the addresses of the request into a data set that exists; a run that goes on asks for the rest."""
    from core.data.fetch_set import fetch_into  # what talks to the network is imported by runs that do

    request = run.request
    yield from fetch_into(
        load_dataset(run.workspace, request["dataset"]),
        [UrlRow(*row) for row in request["rows"]],
        before=read_events(run)[0],
        allow_hosts=AppSettings.from_env().allow_hosts,
        stop=stop,
    )


def perform_sample(run: Run, stop: Stop) -> Iterator[Event]:
    """Make the sample set of the request."""
    request = run.request
    yield from make_sample(
        run.workspace,
        request["sample"],
        name=request["name"],
        per_class=request["per_class"],
        noise=request["noise"],
        biased_noise=request["biased_noise"],
        imbalance=request["imbalance"],
        seed=request["seed"],
        settings=ImportSettings(valid_share=request["valid_share"], seed=request["split_seed"]),
        stop=stop,
    )


@contextlib.contextmanager
def _used_up(run: Run, source: Path) -> Iterator[None]:
    """Delete an upload once it was read, well or not; what lies outside the uploads is somebody's own and stays."""
    try:
        yield
    finally:
        uploads = run.workspace.folder("uploads").resolve()
        if uploads in source.resolve().parents:
            top = uploads / source.resolve().relative_to(uploads).parts[0]
            shutil.rmtree(top) if top.is_dir() else top.unlink(missing_ok=True)
