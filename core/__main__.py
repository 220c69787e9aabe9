"""The same work from a terminal: `python -m core [--home DIR] COMMAND`.

Results are JSON on stdout, one record per line; messages go to stderr. Exit code 0, or 2 with one sentence.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from core.data.table import Dataset, create_empty, load_dataset
from core.data.url_list import UrlList, parse
from core.deploy.bundle import Bundle, bundle_of, load_bundle
from core.diagnose import diagnose
from core.errors import DataError, ImageRejected, LabError, NotFound, SettingsError
from core.jobs.worker import describe, work
from core.settings import PRESETS, AppSettings, ImportSettings, TrainSettings, preset, to_record
from core.train.events import DataReady, EpochDone, Event, Fetched, History, Note, Progress
from core.train.runs import Run, create_run, load_run
from core.workspace import Workspace, is_id

if TYPE_CHECKING:  # torch takes seconds to import: only for the commands that need it
    from core.deploy.predictor import Predictor

PHASES = {
    "import": "reading pictures",
    "draw": "drawing",
    "download": "downloading",
    "fetch": "fetching pictures",
    "pixels": "decoding pictures",
    "activations": "computing activations",
}


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence."""

    def error(self, message: str) -> NoReturn:
        raise SettingsError(
            f"This command cannot be read: {message}.", hint=f"{self.prog} --help shows how it is used."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(message)s")
    try:
        options = _parser().parse_args(arguments)
        settings = AppSettings.from_env()
        home = Path(options.home).expanduser().absolute() if options.home else settings.home
        return int(options.run(Workspace(home), options))
    except LabError as error:
        _say(str(error))
    except KeyboardInterrupt:
        _say("Stopped. What was saved before stays.")
    except (OSError, MemoryError) as error:
        code, message, hint = describe(error)
        # a fault of the system that Bearings has no words for is told in the system's own
        _say(f"This could not be done: {error}." if code == "error" else f"{message} {hint}")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m core", description="Bearings from a terminal.")
    parser.add_argument("--home", metavar="DIR", help="workspace folder (BEARINGS_HOME, else ~/.bearings)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_add_import, _add_fetch, _add_sample, _add_lr_find, _add_train, _add_predict):
        add(commands)
    return parser


def _command(commands: Any, name: str, text: str, run: Callable[[Workspace, Any], int]) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    return command


def _add_split(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", required=True, help="what to call the data set")
    command.add_argument("--valid", type=float, default=0.2, help="validation share (0.2)")


def _add_import(commands: Any) -> None:
    command = _command(commands, "import", "Make a data set from a folder or a zip of pictures.", _import)
    command.add_argument("source", metavar="FOLDER|ZIP", help="class/… or train/class/… and valid/class/…")
    _add_split(command)
    command.add_argument("--seed", type=int, default=42, help="seed of the split (42)")


def _add_fetch(commands: Any) -> None:
    command = _command(
        commands, "fetch", "Fetch pictures by their addresses, into a set that exists or a new one.", _fetch
    )
    command.add_argument(
        "list", metavar="URLS.txt", help="one address on each line, or a label, a comma and an address"
    )
    command.add_argument("--label", help="class of the lines that name none")
    _add_split(command)
    command.add_argument("--seed", type=int, default=42, help="seed of a new set's split (42)")


def _add_sample(commands: Any) -> None:
    command = _command(commands, "sample", "Make a data set from a ready-made sample.", _sample)
    command.add_argument("sample", metavar="NAME", help="bears, fashion, imagenette or pets")
    _add_split(command)
    command.add_argument("--per-class", type=int, help="pictures per class (the sample's own number)")
    command.add_argument("--noise", type=float, default=0.0, help="share of training labels made wrong at random")
    command.add_argument("--biased-noise", type=float, default=0.0, help="share of one class labelled as another")
    command.add_argument("--imbalance", type=float, default=0.0, help="share by which the later classes are thinned")
    command.add_argument("--seed", type=int, default=0, help="seed of the sample (0)")


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataset", metavar="N", help="name or id of a data set")
    command.add_argument("--backbone", default="lite0", help="lite0, resnet18, resnet34, resnet50 or resnext50")
    command.add_argument("--weights", default="pretrained", help="pretrained or random")
    command.add_argument("--image-size", type=int, default=224, help="side of the square the model sees (224)")
    command.add_argument("--batch-size", type=int, default=64, help="pictures per step (64)")
    command.add_argument("--seed", type=int, default=42, help="fixes order, dropout, augmentation and first weights")


def _add_lr_find(commands: Any) -> None:
    command = _command(commands, "lr-find", "Find a learning rate.", _lr_find)
    _add_model(command)
    command.add_argument("--unfrozen", action="store_true", help="train all layers, not the head alone")


def _add_train(commands: Any) -> None:
    command = _command(commands, "train", "Train a model.", _train)
    _add_model(command)
    command.add_argument("--preset", default="standard", help=", ".join(PRESETS))
    command.add_argument("--epochs", type=int, default=4, help="epochs per stage (4)")
    command.add_argument("--lr", type=float, default=3e-3, help="learning rate (3e-3)")


def _add_predict(commands: Any) -> None:
    command = _command(commands, "predict", "Ask a trained model about pictures.", _predict)
    command.add_argument("model", metavar="RUN|BUNDLE", help="id of a training run, or a saved model (.zip)")
    command.add_argument("images", metavar="IMAGE", nargs="+", help="picture files")


def _import(workspace: Workspace, options: Any) -> int:
    request = {
        "source": str(Path(options.source).expanduser().absolute()),
        "name": options.name,
        "valid_share": ImportSettings(options.valid, options.seed).valid_share,
        "seed": options.seed,
        "delete_source": False,
    }
    return _print_data(work(create_run(workspace, "import", request)))


def _fetch(workspace: Workspace, options: Any) -> int:
    found = _read_list(options)
    dataset = _grown(workspace, options)
    for note in found.notes:
        _say(note)
    for problem in found.problems:
        _print({"line": problem.line, "url": "", "code": "bad_line", "reason": problem.reason})
    request = {"dataset": dataset.id, "name": dataset.name, "rows": [list(row) for row in found.rows]}
    _print_data(work(create_run(workspace, "fetch", request)), "added")
    if load_dataset(workspace, dataset.id).kept().empty:
        raise DataError(
            f"None of the {len(found.rows)} addresses gave a picture, so {dataset.name} is still empty.",
            hint="The lines above say why.",
        )
    return 0


def _read_list(options: Any) -> UrlList:
    try:
        data = Path(options.list).expanduser().read_bytes()
    except OSError as error:
        raise DataError(f"There is no file {options.list} that can be read.", hint="Check the path.") from error
    found = parse(data, label=options.label)
    if not found.rows:
        first = f" Line {found.problems[0].line}: {found.problems[0].reason}" if found.problems else ""
        raise DataError(f"{options.list} holds no address that can be fetched.{first}")
    return found


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
    return _print_data(work(create_run(workspace, "sample", request)))


def _print_data(events: Iterator[Event], *more: str) -> int:
    for event in _reported(events):
        if isinstance(event, Fetched):
            _print({name: value for name, value in asdict(event).items() if name != "seq"})
        if isinstance(event, DataReady):
            counts = {name: getattr(event, name) for name in ("kept", "train", "valid", *more)}
            rejected = [dict(entry) for entry in event.rejected]
            _print({"dataset": event.dataset, "classes": list(event.classes), **counts, "rejected": rejected})
            for note in event.notes:
                _say(note)
    return 0


def _settings(options: Any, **changes: Any) -> TrainSettings:
    names = ("backbone", "weights", "image_size", "batch_size", "seed")
    return TrainSettings(**{name: getattr(options, name) for name in names}, **changes)


def _lr_find(workspace: Workspace, options: Any) -> int:
    from core.train.lr_finder import range_test
    from core.train.steps import begin

    dataset, settings = load_dataset(workspace, options.dataset), _settings(options)
    learner = begin(dataset, settings)
    found = range_test(dataset, settings, learner, frozen=not options.unfrozen)
    if found.stopped:
        _say(found.stopped)
    suggestions = {name: {"lr": answer.lr, "why": answer.why} for name, answer in found.suggestions.items()}
    _print({"lrs": list(found.lrs), "losses": list(found.losses), "suggestions": suggestions})
    return 0


def _train(workspace: Workspace, options: Any) -> int:
    dataset = load_dataset(workspace, options.dataset)
    settings = _settings(options, stages=preset(options.preset, epochs=options.epochs, lr=options.lr))
    request = {
        "dataset": dataset.id,
        "dataset_name": dataset.name,
        "preset": options.preset,
        "settings": to_record(settings),
    }
    run = create_run(workspace, "train", request)
    events = []
    for event in _reported(work(run)):
        events.append(event)
        if isinstance(event, EpochDone):
            _print({name: value for name, value in asdict(event).items() if name != "seq"})
    _print(_summary(load_run(workspace, run.id), History.of(events), settings))
    return 0


def _summary(run: Run, history: History, settings: TrainSettings) -> dict[str, Any]:
    """The last line of a training run: how it ended and what kind of run it was."""
    result, started = run.result or {}, history.last("started")
    classes, n_valid = (len(started.classes), started.valid) if started is not None else (None, None)
    findings = diagnose(
        history.epochs, lr=settings.stages[-1].lr_max, classes=classes, n_valid=n_valid, batches=history.batches
    )
    counts = {name: result.get(name) for name in ("error_rate", "wrong", "of")}
    if run.record["message"]:
        _say(run.record["message"])
    # the loop ends a run itself only where the rate was far too high
    verdict = "lr_too_high" if run.state == "diverged" else findings[0].kind
    return {"run": run.id, "state": run.state, **counts, "verdict": verdict}


def _predict(workspace: Workspace, options: Any) -> int:
    from core.deploy.predictor import Predictor

    predictor = Predictor(_bundle(workspace, options.model))
    answers = [_answer(predictor, image) for image in options.images]
    _print(answers)
    return 0 if any("label" in answer for answer in answers) else 2


def _answer(predictor: Predictor, image: str) -> dict[str, Any]:
    """What is printed about one picture; one that cannot be opened does not keep the others from their answer."""
    try:
        prediction = predictor.predict([Path(image)])[0]
    except OSError:
        error: LabError = DataError(f"There is no file {image} that can be read.", hint="Check the path.")
    except ImageRejected as rejected:
        error = rejected
    else:
        probs = prediction.probabilities
        return {"image": image, "label": prediction.label, "probabilities": probs, "ms": prediction.ms}
    _say(f"{image}: {error}")
    return {"image": image, "error": error.message}


def _bundle(workspace: Workspace, wanted: str) -> Bundle:
    """The model of a run's id or of a file; an id wins, since a file of that name can be given as ./name."""
    if is_id(wanted):
        return bundle_of(load_run(workspace, wanted))
    return load_bundle(Path(wanted).expanduser())


def _reported(events: Iterator[Event]) -> Iterator[Event]:
    """Hand events on and say on stderr what is going on."""
    phase = ""
    for event in events:
        if isinstance(event, Progress) and (event.phase != phase or event.done == event.total):
            phase = event.phase
            _say(f"{PHASES.get(phase, phase)}: {event.done} of {event.total}")
        if isinstance(event, Note):
            _say(event.text)
        yield event


def _print(record: dict[str, Any] | list[Any]) -> None:
    sys.stdout.write(json.dumps(_finite(record), ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def _finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")


if __name__ == "__main__":
    sys.exit(main())
