"""Commands of the terminal that make and change data sets, and how every command prints.

Results are JSON on stdout, one record per line; messages go to stderr.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.data.edit_list import read_edits
from core.data.edits import DELETED, clean
from core.data.export import export_zip
from core.data.table import Dataset, create_empty, load_dataset
from core.data.url_list import UrlList, parse
from core.errors import DataError, NotFound
from core.jobs.worker import work
from core.settings import ImportSettings
from core.train.events import DataReady, Event, Fetched, Note, Progress
from core.train.runs import create_run
from core.workspace import Workspace

PHASES = {
    "import": "reading pictures",
    "draw": "drawing",
    "looks": "comparing pictures",
    "download": "downloading",
    "fetch": "fetching pictures",
    "pixels": "decoding pictures",
    "activations": "computing activations",
}


def add_data_commands(commands: Any) -> None:
    """Add every command of this module to a parser's commands."""
    for add in (_add_import, _add_fetch, _add_sample, _add_clean, _add_export):
        add(commands)


def add_command(commands: Any, name: str, text: str, run: Callable[[Workspace, Any], int]) -> argparse.ArgumentParser:
    """Add a command to the parser: its name, what it does, and who does it."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    return command


def _add_split(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", required=True, help="what to call the data set")
    command.add_argument("--valid", type=float, default=0.2, help="validation share (0.2)")


def _add_import(commands: Any) -> None:
    command = add_command(commands, "import", "Make a data set from a folder or a zip of pictures.", _import)
    command.add_argument(
        "source", metavar="FOLDER|ZIP", help="class/… or train/class/… and valid/class/…, or any folders with --labels"
    )
    command.add_argument("--labels", metavar="TABLE.csv", help="which picture shows what: a file and a label per line")
    _add_split(command)
    command.add_argument("--seed", type=int, default=42, help="seed of the split (42)")


def _add_fetch(commands: Any) -> None:
    command = add_command(
        commands, "fetch", "Fetch pictures by their addresses, into a set that exists or a new one.", _fetch
    )
    command.add_argument(
        "list", metavar="URLS.txt", help="one address on each line, or a label, a comma and an address"
    )
    command.add_argument("--label", help="class of the lines that name none")
    _add_split(command)
    command.add_argument("--seed", type=int, default=42, help="seed of a new set's split (42)")


def _add_sample(commands: Any) -> None:
    command = add_command(commands, "sample", "Make a data set from a ready-made sample.", _sample)
    command.add_argument("sample", metavar="NAME", help="bears, fashion, imagenette or pets")
    _add_split(command)
    command.add_argument("--per-class", type=int, help="pictures per class (the sample's own number)")
    command.add_argument("--noise", type=float, default=0.0, help="share of training labels made wrong at random")
    command.add_argument("--biased-noise", type=float, default=0.0, help="share of one class labelled as another")
    command.add_argument("--imbalance", type=float, default=0.0, help="share by which the later classes are thinned")
    command.add_argument("--seed", type=int, default=0, help="seed of the sample (0)")


def _add_clean(commands: Any) -> None:
    command = add_command(commands, "clean", "Delete or relabel pictures that a list names, as one edit.", _clean)
    command.add_argument("dataset", metavar="N", help="name or id of a data set")
    command.add_argument("edits", metavar="EDITS.csv", help="item,action lines; action: keep, delete or a class")


def _add_export(commands: Any) -> None:
    command = add_command(commands, "export-data", "Write a data set into a zip for others, or to import.", _export)
    command.add_argument("dataset", metavar="N", help="name or id of a data set")
    command.add_argument("zip", metavar="OUT.zip", help="train/class/…, valid/class/… and labels.csv")


def _import(workspace: Workspace, options: Any) -> int:
    request = {
        "source": str(Path(options.source).expanduser().absolute()),
        "labels": str(Path(options.labels).expanduser().absolute()) if options.labels else None,
        "name": options.name,
        "valid_share": ImportSettings(options.valid, options.seed).valid_share,
        "seed": options.seed,
        "delete_source": False,
    }
    return print_data(work(create_run(workspace, "import", request)))


def _fetch(workspace: Workspace, options: Any) -> int:
    found = _read_list(options)
    dataset = _grown(workspace, options)
    for note in found.notes:
        say(note)
    for problem in found.problems:
        print_record({"line": problem.line, "url": "", "code": "bad_line", "reason": problem.reason})
    request = {"dataset": dataset.id, "name": dataset.name, "rows": [list(row) for row in found.rows]}
    print_data(work(create_run(workspace, "fetch", request)), "added")
    if load_dataset(workspace, dataset.id).kept().empty:
        raise DataError(
            f"None of the {len(found.rows)} addresses gave a picture, so {dataset.name} is still empty.",
            hint="The lines above say why.",
        )
    return 0


def _read_list(options: Any) -> UrlList:
    found = parse(bytes_of(options.list), label=options.label)
    if not found.rows:
        first = f" Line {found.problems[0].line}: {found.problems[0].reason}" if found.problems else ""
        raise DataError(f"{options.list} holds no address that can be fetched.{first}")
    return found


def bytes_of(name: str) -> bytes:
    """The bytes of a file that was named in a command; "-" is what is piped in."""
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).expanduser().read_bytes()
    except OSError as error:
        raise DataError(f"There is no file {name} that can be read.", hint="Check the path.") from error


def _grown(workspace: Workspace, options: Any) -> Dataset:
    """The data set to fetch into: the one of this name, or a new one."""
    settings = ImportSettings(options.valid, options.seed)
    try:
        return load_dataset(workspace, options.name)
    except NotFound:
        return create_empty(workspace, name=options.name, settings=settings)


def _sample(workspace: Workspace, options: Any) -> int:
    request = {
        "sample": options.sample,
        "name": options.name,
        "per_class": options.per_class,
        "noise": options.noise,
        "biased_noise": options.biased_noise,
        "imbalance": options.imbalance,
        "seed": options.seed,
        "valid_share": ImportSettings(options.valid).valid_share,
        "split_seed": ImportSettings().seed,
    }
    return print_data(work(create_run(workspace, "sample", request)))


def _clean(workspace: Workspace, options: Any) -> int:
    data, dataset = bytes_of(options.edits), load_dataset(workspace, options.dataset)
    items = dataset.items()
    labels = sorted({*dataset.empty, *items.loc[items["status"] != DELETED, "label"]})
    found = read_edits(data, items, labels, what=Path(options.edits).name)
    before = dict(zip(items["item"], items["label"], strict=True))
    marks = {item: replace(mark, was=mark.was or before[item]) for item, mark in found.marks.items()}
    edited = clean(dataset, marks)
    skipped = [{"line": one.line, "picture": one.name, "reason": one.reason} for one in found.problems]
    changed = "It has another label than the list says, or was changed meanwhile."
    skipped += [{"line": found.lines[item], "picture": item, "reason": changed} for item in edited.skipped]
    record = {"dataset": dataset.id, "version": edited.dataset.version, "changed": edited.changed}
    print_record({**record, "skipped": sorted(skipped, key=lambda one: one["line"])})
    return 0


def _export(workspace: Workspace, options: Any) -> int:
    dataset, target = load_dataset(workspace, options.dataset), Path(options.zip).expanduser().absolute()
    made = export_zip(dataset, target)
    counts = {"pictures": made.pictures, "bytes": made.bytes}
    print_record({"dataset": dataset.id, "version": made.version, **counts, "file": str(target)})
    return 0


def print_data(events: Iterator[Event], *more: str) -> int:
    """Follow the making of a data set and print what came of it, with `more` of its counts."""
    for event in reported(events):
        if isinstance(event, Fetched):
            print_record({name: value for name, value in asdict(event).items() if name != "seq"})
        if isinstance(event, DataReady):
            counts = {name: getattr(event, name) for name in ("kept", "train", "valid", *more)}
            rejected = [dict(entry) for entry in event.rejected]
            print_record({"dataset": event.dataset, "classes": list(event.classes), **counts, "rejected": rejected})
            for note in event.notes:
                say(note)
    return 0


def reported(events: Iterator[Event]) -> Iterator[Event]:
    """Hand events on and say on stderr what is going on."""
    phase = ""
    for event in events:
        if isinstance(event, Progress) and (event.phase != phase or event.done == event.total):
            phase = event.phase
            say(f"{PHASES.get(phase, phase)}: {event.done} of {event.total}")
        if isinstance(event, Note):
            say(event.text)
        yield event


def print_record(record: dict[str, Any] | list[Any]) -> None:
    """A result as one line of JSON, on stdout."""
    sys.stdout.write(json.dumps(_finite(record), ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def _finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value


def say(message: str) -> None:
    """A message for people, on stderr."""
    sys.stderr.write(message + "\n")
