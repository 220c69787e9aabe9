"""The same work from a terminal: `python -m core [--home DIR] COMMAND`.

Results are JSON on stdout, one record per line; messages go to stderr. Exit code 0, or 2 with one sentence.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from core.commands import add_command, add_data_commands, bytes_of, print_record, reported, say
from core.data.table import load_dataset
from core.deploy.bundle import Bundle, bundle_of
from core.deploy.model_file import load_bundle
from core.diagnose import diagnose
from core.diagnose.judge_run import judge_run
from core.diagnose.logs import decode, read_log
from core.errors import DataError, ImageRejected, LabError, SettingsError
from core.jobs.worker import describe, work
from core.settings import AppSettings, TrainSettings, to_record
from core.train.events import EpochDone, History
from core.train.recipes import RECIPES, preset
from core.train.runs import Run, create_run, load_run
from core.train.starts import find_start
from core.train.words import counted
from core.workspace import Workspace, is_id

if TYPE_CHECKING:  # torch takes seconds to import: only for the commands that need it
    from core.deploy.predictor import Predictor
    from core.train.lr_finder import RangeTest


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
        say(str(error))
    except KeyboardInterrupt:
        say("Stopped. What was saved before stays.")
    except (OSError, MemoryError) as error:
        code, message, hint = describe(error)
        # a fault of the system that Bearings has no words for is told in the system's own
        say(f"This could not be done: {error}." if code == "error" else f"{message} {hint}")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m core", description="Bearings from a terminal.")
    parser.add_argument("--home", metavar="DIR", help="workspace folder (BEARINGS_HOME, else ~/.bearings)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_data_commands(commands)
    for add in (_add_lr_find, _add_train, _add_diagnose, _add_predict, _add_export):
        add(commands)
    return parser


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataset", metavar="N", help="name or id of a data set")
    command.add_argument("--backbone", default="lite0", help="lite0, resnet18, resnet34, resnet50 or resnext50")
    command.add_argument("--weights", default="pretrained", help="pretrained or random")
    command.add_argument("--image-size", type=int, default=224, help="side of the square the model sees (224)")
    command.add_argument("--batch-size", type=int, default=64, help="pictures per step (64)")
    command.add_argument("--seed", type=int, default=42, help="fixes order, dropout, augmentation and first weights")


def _add_lr_find(commands: Any) -> None:
    command = add_command(commands, "lr-find", "Find a learning rate.", _lr_find)
    _add_model(command)
    command.add_argument("--unfrozen", action="store_true", help="train all layers, not the head alone")


def _add_train(commands: Any) -> None:
    command = add_command(commands, "train", "Train a model.", _train)
    _add_model(command)
    command.add_argument("--preset", default="quick", help=", ".join(RECIPES))
    command.add_argument("--epochs", type=int, help="epochs per stage (the preset's own)")
    command.add_argument("--lr", type=float, help="highest learning rate (the preset's own)")
    command.add_argument(
        "--start", metavar="RUN:FILE", help="go on from a checkpoint of a run, such as RUN:last.safetensors"
    )


def _add_diagnose(commands: Any) -> None:
    command = add_command(commands, "diagnose", "Say what went wrong in a training, from its table.", _diagnose)
    command.add_argument(
        "log", metavar="HISTORY.csv", help="what fastai, Keras, Lightning or Bearings printed or saved; - reads stdin"
    )
    command.add_argument("--lr", type=float, metavar="X", help="highest learning rate of the training")
    command.add_argument("--suggested-lr", type=float, metavar="X", help="learning rate that a finder suggested")
    command.add_argument("--classes", type=int, metavar="K", help="number of classes")
    command.add_argument("--n-valid", type=int, metavar="M", help="number of validation pictures")


def _add_predict(commands: Any) -> None:
    command = add_command(commands, "predict", "Ask a trained model about pictures.", _predict)
    command.add_argument("model", metavar="RUN|BUNDLE", help="id of a training run, or a saved model (.zip)")
    command.add_argument("images", metavar="IMAGE", nargs="+", help="picture files")


def _add_export(commands: Any) -> None:
    command = add_command(commands, "export", "Save a trained model as one file that runs without Bearings.", _export)
    command.add_argument("model", metavar="RUN|BUNDLE", help="id of a training run, or a saved model (.zip)")
    command.add_argument("target", metavar="OUT", help="OUT.zip, or OUT.onnx, or OUT.pt2 (torch.export)")


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
        say(found.stopped)
    suggestions = {name: {"lr": answer.lr, "why": answer.why} for name, answer in found.suggestions.items()}
    record = {"lrs": list(found.lrs), "losses": list(found.losses), "suggestions": suggestions}
    if options.unfrozen:
        record["slice"] = _slice(found)
    print_record(record)
    return 0


def _slice(found: RangeTest) -> dict[str, Any]:
    """The rates for an unfrozen model whose head learned at the usual rate."""
    from core.train.finder_advice import high_from, slice_for
    from core.train.lr_finder import USUAL_RATE

    ends = slice_for(
        found.lrs, found.losses_smooth, steps=found.steps, high=high_from(USUAL_RATE), frozen_lr=USUAL_RATE
    )
    return {"low": ends.low, "high": ends.high, "why": f"{ends.why_low} {ends.why_high}"}


def _train(workspace: Workspace, options: Any) -> int:
    dataset = load_dataset(workspace, options.dataset)
    settings = preset(options.preset, _settings(options), epochs=options.epochs, lr=options.lr)
    request = {
        "dataset": dataset.id,
        "dataset_name": dataset.name,
        "preset": options.preset,
        "settings": to_record(settings),
    }
    if options.start:
        start = find_start(workspace, options.start)
        request["start"] = {"run": start.run, "file": start.file}
    run = create_run(workspace, "train", request)
    events = []
    for event in reported(work(run)):
        events.append(event)
        if isinstance(event, EpochDone):
            print_record({name: value for name, value in asdict(event).items() if name != "seq"})
    print_record(_summary(load_run(workspace, run.id), History.of(events)))
    return 0


def _summary(run: Run, history: History) -> dict[str, Any]:
    """The last line of a training run: how it ended and what kind of run it was."""
    result, judged = run.result or {}, judge_run(run, history)
    counts = {name: result.get(name) for name in ("error_rate", "wrong", "of")}
    if run.record["message"]:
        say(run.record["message"])
    # the loop ends a run itself only where the rate was far too high
    kind = judged.verdict.kind if judged else "cant_tell"
    verdict = "lr_too_high" if run.state == "diverged" else kind
    return {"run": run.id, "state": run.state, **counts, "verdict": verdict}


def _diagnose(workspace: Workspace, options: Any) -> int:
    facts = {name: getattr(options, name) for name in ("lr", "suggested_lr", "classes", "n_valid")}
    for name, lowest in (("lr", 0), ("suggested_lr", 0), ("classes", 1), ("n_valid", 0)):
        if facts[name] is not None and not facts[name] > lowest:
            option = f"--{name.replace('_', '-')}"
            raise SettingsError(
                f"{option} is {facts[name]:g}, and it must be more than {lowest}.", hint="Leave it out."
            )
    log = read_log(decode(bytes_of(options.log)))
    say(f"Read as: {log.tool}, {counted(len(log.epochs), 'epoch')}.")
    if log.stages > 1:
        say(f"{log.stages} tables follow one another: they are judged as the stages of one training.")
    for sentence in log.skipped:
        say(sentence)
    facts["n_valid"] = facts["n_valid"] or log.n_valid
    print_record([asdict(finding) for finding in diagnose(log.epochs, **facts)])
    return 0


def _predict(workspace: Workspace, options: Any) -> int:
    from core.deploy.predictor import Predictor

    predictor = Predictor(_bundle(workspace, options.model))
    answers = [_answer(predictor, image) for image in options.images]
    print_record(answers)
    return 0 if any("label" in answer for answer in answers) else 2


def _export(workspace: Workspace, options: Any) -> int:
    from core.deploy.formats import save_model

    target = Path(options.target).expanduser()
    whole = save_model(_bundle(workspace, options.model), target)
    facts = {"run": whole.card["run"], "classes": list(whole.classes), "sha256": whole.card["sha256"]}
    print_record({"file": str(target), "bytes": target.stat().st_size, **facts})
    return 0


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
    say(f"{image}: {error}")
    return {"image": image, "error": error.message}


def _bundle(workspace: Workspace, wanted: str) -> Bundle:
    """The model of a run's id or of a file; an id wins, since a file of that name can be given as ./name."""
    if is_id(wanted):
        return bundle_of(load_run(workspace, wanted))
    return load_bundle(Path(wanted).expanduser())


if __name__ == "__main__":
    sys.exit(main())
