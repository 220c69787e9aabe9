"""The terminal: JSON on stdout, one sentence and exit code 2 when something is wrong, never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from core.__main__ import main
from core.deploy import demo
from tests.conftest import colour_jpeg, make_toy
from tests.data.web_server import WebServer, answer

ROOT = Path(__file__).parents[1]
torch.set_num_threads(1)  # threads that wait for a busy core make these small tasks slow


@pytest.fixture
def core(tmp_path, capsys):
    """Call the terminal on a fresh workspace: exit code, records on stdout, text on stderr."""

    def call(*arguments):
        code = main(["--home", str(tmp_path / "home"), *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return call


@pytest.fixture
def photos(tmp_path):
    import numpy as np

    rng = np.random.default_rng(3)
    for number, label in enumerate(("red", "green")):
        folder = tmp_path / "photos" / label
        folder.mkdir(parents=True)
        for i in range(8):
            (folder / f"{i}.jpg").write_bytes(colour_jpeg(rng, number))
    return tmp_path / "photos"


def test_from_a_folder_to_a_prediction(core, photos):
    (photos / "red" / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    code, [made], _ = core("import", photos, "--name", "n", "--valid", "0.25")
    assert code == 0
    assert (made["classes"], made["kept"], made["train"], made["valid"]) == (["green", "red"], 16, 12, 4)
    assert [entry["name"] for entry in made["rejected"]] == ["red/broken.jpg"] and made["rejected"][0]["reason"]

    code, lines, _ = core("train", "n", "--image-size", "64", "--epochs", "3")
    *epochs, last = lines
    assert code == 0 and [row["epoch"] for row in epochs] == [0, 1, 2]
    assert {"stage", "train_loss", "train_loss_eval", "train_loss_smooth", "valid_loss", "error_rate", "accuracy",
            "lr", "seconds", "images_per_s"} <= set(epochs[0])  # fmt: skip
    assert (last["error_rate"], last["of"], last["state"]) == (epochs[-1]["error_rate"], 4, "done")
    assert last["verdict"] in {"lr_too_high", "lr_too_low", "too_few_epochs", "overfit", "healthy", "cant_tell"}

    code, [answers], err = core("predict", last["run"], photos / "red" / "0.jpg", photos / "red" / "broken.jpg")
    assert code == 0
    assert set(answers[0]) == {"image", "label", "probabilities", "ms"}
    assert set(answers[0]["probabilities"]) == {"red", "green"}
    assert "error" in answers[1] and "broken.jpg" in err


def test_a_rate_that_ruins_the_model_is_reported_as_such(core, tmp_path):
    make_toy(tmp_path / "home")
    code, lines, err = core("train", "toy", "--image-size", "64", "--lr", "1e6", "--batch-size", "8")
    assert code == 0
    assert lines[-1]["state"] == "diverged" and lines[-1]["verdict"] == "lr_too_high"
    assert "too high" in err


def test_the_finder_prints_its_curve_and_every_rule(core, tmp_path):
    make_toy(tmp_path / "home")
    code, [found], _ = core("lr-find", "toy", "--image-size", "64")
    assert code == 0 and len(found["lrs"]) == len(found["losses"])
    assert {"valley", "steep", "minimum", "slide", "before_rise", "recommended"} == set(found["suggestions"])
    assert all(set(answer) == {"lr", "why"} for answer in found["suggestions"].values())


def test_the_finder_of_a_whole_network_prints_the_slice(core, tmp_path):
    make_toy(tmp_path / "home")
    code, [found], _ = core("lr-find", "toy", "--image-size", "32", "--unfrozen")
    assert code == 0 and found["slice"]["high"] == pytest.approx(3e-4) and "divided by 10" in found["slice"]["why"]


def test_the_shipped_model_is_a_bundle_like_any_other(core, tmp_path):
    (tmp_path / "bear.jpg").write_bytes(demo.pictures()[0].jpeg)
    code, [[answer]], _ = core("predict", demo.MODEL, tmp_path / "bear.jpg")
    assert code == 0 and answer["label"] == demo.pictures()[0].label


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("train", "nothing"), "no data set 'nothing'"),
    (("import", "/nowhere/at/all", "--name", "x"), "nowhere"),
    (("sample", "unicorns", "--name", "x"), "unicorns"),
    (("predict", "a" * 26, "x.jpg"), "no run"),
    (("predict", "missing.zip", "x.jpg"), "no file missing.zip"),
    (("fly",), "cannot be read"),
    ((), "cannot be read"),
    (("train",), "cannot be read"),
    (("train", "x", "--epochs", "four"), "cannot be read"),
    (("sample", "bears", "--name", "x", "--valid", "2"), "validation share"),
])  # fmt: skip
def test_what_is_wrong_is_one_sentence_and_exit_code_2(core, arguments, sentence):
    code, lines, err = core(*arguments)
    assert code == 2 and lines == []
    assert sentence in err and "Traceback" not in err and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("option", [("--epochs", "0"), ("--lr", "-1"), ("--lr", "nan"), ("--backbone", "alexnet"),
                                    ("--preset", "magic"), ("--image-size", "100"), ("--batch-size", "1"),
                                    ("--seed", "-3"), ("--weights", "mine")])  # fmt: skip
def test_settings_out_of_range_are_refused_in_words(core, tmp_path, option):
    make_toy(tmp_path / "home")
    code, lines, err = core("train", "toy", *option)
    assert code == 2 and lines == [] and "Traceback" not in err and len(err.strip()) > 20


def test_a_fault_of_the_system_is_told_in_its_own_words(core, tmp_path):
    (tmp_path / "home").write_text("a file where the workspace should be")
    code, lines, err = core("sample", "bears", "--name", "x")
    assert code == 2 and lines == [] and "home" in err and len(err.strip().splitlines()) == 1


def test_nothing_but_json_reaches_stdout_of_the_real_command(tmp_path):
    done = subprocess.run([sys.executable, "-m", "core", "--home", str(tmp_path), "train", "x"], cwd=ROOT,
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("There is no data set 'x'")


def test_fetch_makes_a_set_from_addresses_and_grows_it(core, tmp_path, photos, monkeypatch):
    with WebServer() as server:
        monkeypatch.setenv("BEARINGS_ALLOW_HOSTS", server.host)
        for label in ("red", "green"):
            for number in range(2):
                data = (photos / label / f"{number}.jpg").read_bytes()
                server.pages[f"/{label}{number}?q"] = lambda _, data=data: answer(200, data)
        urls = tmp_path / "urls.txt"
        urls.write_text(f"{server.url('/red0?q')}\ngreen,{server.url('/green0?q')}\nnothing\n{server.url('/no')}\n")
        code, lines, err = core("fetch", urls, "--label", "red", "--name", "web", "--valid", "0.5")
        assert code == 0 and "fetching pictures: 3 of 3" in err
        *told, made = lines
        assert {line["line"]: line["code"] for line in told} == {
            1: "saved",
            2: "saved",
            3: "bad_line",
            4: "http_status",
        }
        assert (made["classes"], made["kept"], made["added"]) == (["green", "red"], 2, 2)
        assert [entry["name"] for entry in made["rejected"]] == [server.url("/no")]

        urls.write_bytes(f"label,url\r\nred,{server.url('/red1?q')}\r\nred,{server.url('/red0?q')}".encode("utf-16"))
        code, [*told, again], _ = core("fetch", urls, "--name", "web")
        assert code == 0 and {line["line"]: line["code"] for line in told} == {2: "saved", 3: "duplicate"}
        assert (again["dataset"], again["kept"], again["added"]) == (made["dataset"], 3, 1)


def test_a_fetch_that_gives_nothing_says_so(core, tmp_path):
    urls = tmp_path / "urls.txt"
    urls.write_text("http://127.0.0.1/1.jpg")
    code, [told, _], err = core("fetch", urls, "--label", "cat", "--name", "web")
    assert code == 2 and told["code"] == "refused_address" and "still empty" in err
    for text, words in (("", "no address"), ("http://a.org/1.jpg", "Line 1: The line names no class")):
        urls.write_text(text)
        code, lines, err = core("fetch", urls, "--name", "other")
        assert (code, lines) == (2, []) and words in err
    assert core("fetch", tmp_path / "missing.txt", "--name", "n")[0] == 2


def test_train_goes_on_from_a_checkpoint_of_another_run(core, tmp_path):
    make_toy(tmp_path / "home")
    small = ("train", "toy", "--image-size", "32", "--batch-size", "8", "--epochs", "1")
    _, lines, _ = core(*small)
    code, lines, err = core(*small, "--start", f"{lines[-1]['run']}:stage-0.safetensors")
    assert code == 0 and lines[-1]["state"] == "done" and "goes on from a checkpoint" in err
    code, lines, err = core(*small, "--start", "nobody:last.safetensors")
    assert code == 2 and lines == [] and "There is no" in err


LOG = "epoch train_loss valid_loss error_rate time\n0 2.33 1.94 0.566 00:12\nsaved\n1 1.75 1.36 0.415 00:12\n"


def test_a_log_of_another_tool_gets_its_findings(core, tmp_path):
    (tmp_path / "log.txt").write_text(LOG)
    code, [found], err = core("diagnose", tmp_path / "log.txt", "--classes", "3", "--n-valid", "53")
    assert code == 0 and found[0]["kind"] == "too_few_epochs" and found[0]["epochs"] == [0, 1]
    assert set(found[0]) == {"kind", "severity", "title", "evidence", "why", "fix", "epochs"}
    assert "30 of 53 wrong" in found[0]["evidence"]
    assert "Read as: fastai, 2 epochs." in err and "Line 3 was passed over" in err


def test_rates_change_what_is_found(core, tmp_path):
    rows = "".join(f"{epoch},{1.1 - epoch / 50},{1.09 - epoch / 60},0.6\n" for epoch in range(5))
    (tmp_path / "log.csv").write_text(f"epoch,train_loss,valid_loss,error_rate\n{rows}")
    code, [found], _ = core("diagnose", tmp_path / "log.csv", "--lr", "1e-6", "--suggested-lr", "3e-3")
    assert code == 0 and found[0]["kind"] == "lr_too_low" and "3e-3" in found[0]["fix"]


def test_two_tables_are_said_to_be_judged_as_one_training(core, tmp_path):
    (tmp_path / "log.txt").write_text(LOG + LOG)
    assert "2 tables follow one another" in core("diagnose", tmp_path / "log.txt")[2]


def test_a_log_may_be_piped_in(tmp_path):
    command = [sys.executable, "-m", "core", "--home", str(tmp_path), "diagnose", "-"]
    for text, code in ((LOG, 0), ("hello", 2)):
        told = subprocess.run(command, input=text.encode(), capture_output=True, cwd=ROOT, check=False)
        assert told.returncode == code and b"Traceback" not in told.stderr
        assert bool(told.stdout) == (code == 0)


@pytest.mark.parametrize(
    ("data", "options", "says"),
    [
        (b"", (), "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", (), "not text"),
        (b"a,b\n1,2\n", (), "No table of epochs"),
        (LOG.encode(), ("--lr", "-1"), "--lr is -1"),
        (LOG.encode(), ("--suggested-lr", "nan"), "--suggested-lr is nan"),
        (LOG.encode(), ("--classes", "1"), "--classes is 1"),
        (LOG.encode(), ("--n-valid", "many"), "invalid int value"),
        (None, (), "There is no file"),
    ],
)
def test_a_log_that_cannot_be_read_gets_one_sentence(core, tmp_path, data, options, says):
    if data is not None:
        (tmp_path / "log.csv").write_bytes(data)
    code, records, err = core("diagnose", tmp_path / "log.csv", *options)
    assert code == 2 and not records and says in err and err.count("\n") == 1 and "Traceback" not in err


def test_a_model_is_taken_along_and_asked_again_without_its_workspace(core, tmp_path):
    code, [saved], _ = core("export", demo.MODEL, tmp_path / "out" / "bears.zip")
    assert code == 0 and saved["classes"] == ["black", "grizzly", "teddy"] and len(saved["sha256"]) == 64
    assert saved["bytes"] == (tmp_path / "out" / "bears.zip").stat().st_size
    picture = demo.HERE / "teddy_a.jpg"
    answers = [core("predict", model, picture)[1][0][0]["probabilities"] for model in (demo.MODEL, saved["file"])]
    assert answers[0] == pytest.approx(answers[1], abs=1e-5)


def test_export_refuses_what_it_cannot_make_or_find(core, tmp_path):
    for model, target, said in (
        (demo.MODEL, "m.pkl", ".zip, .onnx or .pt2"),
        ("a" * 26, "m.zip", "no run"),
        (tmp_path / "none.zip", "m.zip", "no file none.zip"),
    ):
        code, lines, err = core("export", model, tmp_path / target)
        assert code == 2 and lines == [] and said in err and "Traceback" not in err
    assert not list(tmp_path.glob("m.*"))
