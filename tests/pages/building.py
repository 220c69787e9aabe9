"""What the tests of the build page share: drafts, pictures to upload, and short ways to look at a page."""

import io

from PIL import Image

from core.data.classes import create_classes
from core.data.table import create_empty, load_dataset
from core.settings import ImportSettings
from core.train import runs

NASTY = "<img src=x onerror=alert(1)> *b* $c$"


def healthy(app):
    return not app.exception and not app.error


def picture(colour="brown", size=64):
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def draft(lab, *classes, name="draft"):
    dataset = create_empty(lab.workspace, name=name, settings=ImportSettings())
    if classes:
        create_classes(dataset, classes)
    return load_dataset(lab.workspace, dataset.id)


def fresh(dataset):
    return load_dataset(dataset.workspace, dataset.id)


def keys(app):
    return [button.key for button in app.button]


def menu(app, label):
    return next(one for one in app.menu_button if one.label == f"Change {label}")


def last_run(lab):
    return runs.list_runs(lab.workspace)[0]
