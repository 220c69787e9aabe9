"""What the tests of the Train page share: how somebody chooses, presses and looks at what was started."""

from core.settings import from_record
from core.train import runs
from core.train.recipes import RECIPES
from tests.conftest import make_toy
from tests.ui.support import open_page, words

BROKEN = [name for name, found in RECIPES.items() if found.broken]
ALONE = [name for name in RECIPES if name != "mistakes"]


def started(lab):
    """The settings of the run that was just started, and its request."""
    run = runs.list_runs(lab.workspace, "train")[0]
    return from_record(run.request["settings"]), run.request


def press(app):
    app.button(key="train.start").click().run()
    assert not app.exception and not app.error, words(app)


def choose(app, name):
    """Choose a recipe as a person does: one that goes wrong on purpose behind "Break it"."""
    broken = name in RECIPES and RECIPES[name].broken
    app.selectbox(key="train.preset").set_value("break" if broken else name).run()
    if broken:
        app.pills(key="train.broken").set_value(name).run()
    assert not app.exception, words(app)


def own(lab, before="standard"):
    make_toy(lab.home)
    app = open_page("train")
    choose(app, before)
    choose(app, "own")
    assert not app.exception, words(app)
    return app


def keys(app, ending):
    """Keys of the controls of the stages, in order."""
    return [widget.key for kind in ("button", "number_input", "selectbox", "text_input") for widget in app.get(kind)
            if widget.key and widget.key.startswith("stage.") and widget.key.endswith(ending)]  # fmt: skip
