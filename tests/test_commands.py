"""Data sets from the terminal: import with a table of labels, clean by a list, export and import again."""

import json
import zipfile

import pytest

from core.__main__ import main
from core.data.edits import history, undo
from core.data.table import load_dataset
from core.workspace import Workspace
from tests.conftest import make_toy


@pytest.fixture
def core(tmp_path, capsys):
    """Call the terminal on a workspace: exit code, records on stdout, text on stderr."""

    def call(*arguments):
        code = main(["--home", str(tmp_path / "home"), *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return call


@pytest.fixture
def toy(tmp_path):
    return make_toy(tmp_path / "home", per_class=4)


def rows(toy):
    return load_dataset(toy.workspace, toy.id).items().set_index("item")


def test_import_takes_a_table_of_labels(core, tmp_path, toy):
    folder = tmp_path / "flat"
    folder.mkdir()
    for number, sha in enumerate(toy.items()["file"]):
        (folder / f"{number}.jpg").write_bytes(toy.image_path(sha).read_bytes())
    table = tmp_path / "my.csv"
    table.write_text("picture;what\n" + "".join(f"{n};{'cat' if n % 2 else 'dog'}\n" for n in range(11)) + "99;cat\n")
    code, [made], err = core("import", folder, "--name", "flat", "--labels", table)
    assert (code, made["classes"], made["kept"]) == (0, ["cat", "dog"], 11)
    assert [one["name"] for one in made["rejected"]] == ["99", "11.jpg"]
    code, lines, err = core("import", folder, "--name", "x", "--labels", tmp_path / "gone.csv")
    assert (code, lines) == (2, []) and "gone.csv" in err
    code, lines, err = core("import", folder, "--name", "x")
    assert (code, lines) == (2, []) and "no class folders" in err


def test_clean_carries_a_list_out_as_one_edit(core, tmp_path, toy):
    edits = tmp_path / "edits.csv"
    edits.write_text("item,action\n0,delete\n1,g\n2,keep\n77,delete\n3,purple\n4,b\n")
    code, [done], err = core("clean", "toy", edits)
    assert code == 0 and done["dataset"] == toy.id and done["changed"] == 3
    assert [(one["line"], one["picture"]) for one in done["skipped"]] == [(5, "77"), (6, "3")]
    table = rows(toy)
    assert table.loc["0", "status"] == "deleted" and table.loc["1", "label"] == "g" and table.loc["4", "label"] == "b"
    assert done["version"] == load_dataset(toy.workspace, toy.id).version != toy.version
    assert len(history(toy)) == 2 and undo(toy).dataset.version == toy.version


def test_clean_leaves_a_picture_alone_that_has_another_label_than_the_list_says(core, tmp_path, toy):
    edits = tmp_path / "edits.csv"
    edits.write_text("item,action,was\n0,delete,g\n1,delete,r\n")
    code, [done], _ = core("clean", toy.id, edits)
    assert (code, done["changed"]) == (0, 1)
    assert done["skipped"] == [
        {"line": 2, "picture": "0", "reason": "It has another label than the list says, or was changed meanwhile."}
    ]


@pytest.mark.parametrize("content", [b"", b"what,ever\nx,y\n", b"\xff\xd8\xff\xe0\0\0\0\0", None])
def test_a_list_that_cannot_be_read_changes_nothing(core, tmp_path, toy, content):
    edits = tmp_path / "edits.csv"
    if content is not None:
        edits.write_bytes(content)
    code, lines, err = core("clean", "toy", edits)
    assert (code, lines) == (2, []) and "edits.csv" in err and len(err.strip().splitlines()) == 1
    assert load_dataset(toy.workspace, toy.id).version == toy.version and len(history(toy)) == 1


def test_what_is_exported_can_be_imported_as_the_same_version(core, tmp_path, toy):
    out = tmp_path / "toy.zip"
    code, [made], _ = core("export-data", "toy", out)
    assert code == 0 and made["version"] == toy.version and made["pictures"] == 12
    assert zipfile.is_zipfile(out) and made["file"] == str(out) and 0 < made["bytes"] < out.stat().st_size
    code, [again], err = core("import", out, "--name", "again")
    assert code == 0 and again["rejected"] == [] and "as they were" in err
    assert load_dataset(Workspace(tmp_path / "home"), "again").version == toy.version


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("export-data", "nothing", "x.zip"), "no data set 'nothing'"),
        (("export-data", "toy", "/nowhere/at/all.zip"), "no folder"),
        (("clean", "nothing", __file__), "no data set 'nothing'"),
        (("clean", "toy"), "cannot be read"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_exit_code_2(core, toy, arguments, sentence):
    code, lines, err = core(*arguments)
    assert (code, lines) == (2, []) and sentence in err and len(err.strip().splitlines()) == 1
