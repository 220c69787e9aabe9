"""Quality on the explore page: a look that is started and watched, cards with counts, actions, each taken back."""

import pandas as pd
import pytest
from PIL import Image

from core.data import edits
from core.data.problems import COLUMNS
from core.data.quality import CHECKS
from core.data.table import load_dataset
from core.text import sections
from core.train import runs
from core.train.events import Progress, Reported
from tests.conftest import make_toy
from tests.hostile_names import HOSTILE_NAMES
from tests.ui.support import labels, markup, open_page, words
from tests.ui.test_explore import healthy, make_large, text

ISSUES = [
    ("dark", "0", ""), ("dark", "1", ""), ("dark", "2", ""),
    ("near", "0", "g1"), ("near", "3", "g1"), ("near", "4", "g2"), ("near", "5", "g2"), ("near", "6", "g3"),
    ("near", "13", "g3"),
]  # fmt: skip


def looked(dataset, issues=ISSUES, *, state="done"):
    """A look of this data set on disk, as far as `state`, that found `issues` (check, item, group)."""
    run = runs.create_run(dataset.workspace, "inspect", {"dataset": dataset.id, "version": dataset.version})
    if state == "queued":
        return run
    run = runs.set_state(runs.set_state(run, "starting"), "running")
    runs.append_event(run, Progress(0, "activations", 12, 36))
    if state == "running":
        return run
    rows = [(check, item, 0.5, group, f"{check} says so") for check, item, group in issues]
    pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(run.path / "issues.csv", index=False)
    runs.append_event(run, Reported(1, "inspect", {}))
    return runs.set_state(run, state, message="The worker was ended." if state == "failed" else None, hint="Again.")


def page_of(dataset):
    return open_page("explore", look="quality", dataset=dataset.id)


def kept(dataset):
    return load_dataset(dataset.workspace, dataset.id).kept()


def test_every_check_has_its_meaning_in_words_and_no_others_have():
    assert {name.removeprefix("check_") for name in sections("explore") if name.startswith("check_")} == set(CHECKS)


def test_a_look_is_handed_to_the_engine_and_watched(lab):
    dataset = make_toy(lab.home)
    app = page_of(dataset)
    app.button(key="explore.look.start").click().run()
    [run] = runs.list_runs(lab.workspace, "inspect")
    assert run.request == {"dataset": dataset.id, "version": dataset.version}
    assert healthy(app) and "1st in the queue" in words(app) and "Stop" in labels(app)


def test_a_look_that_was_worked_off_shows_what_it_found(lab):
    dataset = make_toy(lab.home, per_class=4)
    black, white = (Image.new("RGB", (64, 64), shade) for shade in ("black", "white"))
    for image, file in zip((black, white), dataset.kept()["file"], strict=False):
        image.save(dataset.image_path(file))
    app = page_of(dataset)
    app.button(key="explore.look.start").click().run()
    lab.engine.work_off()
    app.run()
    assert healthy(app) and "2 picturesAlmost empty" in text(app)
    app.button(key="explore.delete.low_information").click().run()
    assert healthy(app) and len(kept(dataset)) == 10 and "picturesAlmost empty" not in text(app)


def test_a_look_shows_how_far_it_is(lab):
    looked(make_toy(lab.home), state="running")
    said = words(open_page("explore", look="quality"))
    assert "12 of 36" in said and "Looking at each picture once" in said


@pytest.mark.parametrize(("state", "sentence"), [("failed", "worker was ended"), ("stopped", "was stopped")])
def test_a_look_that_ended_early_says_so_and_can_be_started_again(lab, state, sentence):
    looked(make_toy(lab.home), state=state)
    app = open_page("explore", look="quality")
    assert sentence in words(app) and not app.exception and "Look for problems" in labels(app)


def test_each_kind_that_was_found_is_a_card_with_its_count(lab):
    dataset = make_toy(lab.home)
    looked(dataset)
    said = text(page_of(dataset))
    assert "8 of 36 pictures stand out" in said
    assert "3 picturesVery dark" in said and "3 groupsNearly the same picture" in said
    fine = said.partition("No picture was found for: ")[2].partition(".")[0]
    assert "washed out" in fine and "dark" not in fine


def test_nothing_found_is_said_with_care(lab):
    dataset = make_toy(lab.home)
    looked(dataset, [])
    assert "Nothing stands out in 36 pictures" in text(page_of(dataset))


def test_what_is_shown_can_be_deleted_and_taken_back_as_a_whole(lab):
    dataset = make_toy(lab.home)
    looked(dataset)
    app = page_of(dataset)
    app.button(key="explore.delete.dark").click().run()
    assert healthy(app) and set(kept(dataset)["item"]).isdisjoint({"0", "1", "2"}) and len(kept(dataset)) == 33
    said = text(app)
    assert "Deleted 3 pictures" in said and "picturesVery dark" not in said and "changed since this look" in said
    assert "2 groupsNearly the same picture" in said  # the like of picture 0 is alone now
    app.button(key="explore.undo").click().run()
    assert healthy(app) and len(kept(dataset)) == 36 and "3 picturesVery dark" in text(app)
    assert "explore.undo" not in [button.key for button in app.button]
    assert "changed since this look" not in text(app)


def test_of_each_group_one_is_kept_but_labels_are_left_to_a_person(lab):
    dataset = make_toy(lab.home)
    looked(dataset)
    app = page_of(dataset)
    assert "In 1 of these groups one picture has two labels" in text(app)
    app.button(key="explore.one.near").click().run()
    assert healthy(app) and 36 - len(kept(dataset)) == 2
    assert {"6", "13"} <= set(kept(dataset)["item"]) and "1 groupNearly the same picture" in text(app)


def test_groups_are_put_on_one_side(lab):
    dataset = make_toy(lab.home)
    looked(dataset)
    before = kept(dataset).set_index("item")["split"]
    assert before["0"] != before["3"]
    app = page_of(dataset)
    app.button(key="explore.side.near").click().run()
    after = kept(dataset).set_index("item")["split"]
    assert healthy(app) and after["0"] == after["3"] == "train" and len(after) == 36
    assert "explore.side.near" not in [button.key for button in app.button]


def test_single_pictures_are_chosen_by_a_click_and_only_those_go(lab):
    dataset = make_toy(lab.home)
    looked(dataset)
    app = page_of(dataset)
    app.button(key="explore.choose.dark").click().run()
    assert app.button(key="explore.delete.chosen").disabled
    app.button(key="pick-problem-0").click().run()
    app.button(key="pick-problem-2").click().run()
    app.button(key="pick-problem-0").click().run()
    assert app.button(key="explore.delete.chosen").label == "Delete 1 chosen"
    app.button(key="explore.delete.chosen").click().run()
    assert healthy(app) and set(kept(dataset)["item"]) == {str(n) for n in range(36)} - {"2"}
    app.button(key="explore.choose.done").click().run()
    assert "explore.delete.dark" in [button.key for button in app.button]


def test_undo_is_offered_only_while_nothing_else_was_done(lab):
    dataset = make_toy(lab.home)
    looked(dataset)
    app = page_of(dataset)
    app.button(key="explore.delete.dark").click().run()
    edits.delete(load_dataset(lab.workspace, dataset.id), ["20"])
    app.run()
    assert healthy(app) and "explore.undo" not in [button.key for button in app.button]


def test_marks_and_undo_belong_to_their_set_though_items_have_the_same_names(lab):
    one, other = make_toy(lab.home, name="one"), make_toy(lab.home, name="other")
    assert one.version == other.version
    looked(one)
    looked(other)
    app = page_of(one)
    app.button(key="explore.choose.dark").click().run()
    app.button(key="pick-problem-0").click().run()
    app.selectbox(key="explore.dataset").set_value(other.id).run()
    assert healthy(app) and app.button(key="explore.delete.chosen").disabled
    edits.delete(one, ["1"])
    app.button(key="pick-problem-1").click().run()
    app.button(key="explore.delete.chosen").click().run()
    assert "explore.undo" in [button.key for button in app.button]
    app.selectbox(key="explore.dataset").set_value(one.id).run()
    assert "explore.undo" not in [button.key for button in app.button]


def test_a_table_of_issues_that_is_gone_gives_a_sentence(lab):
    dataset = make_toy(lab.home)
    run = looked(dataset)
    (run.path / "issues.csv").unlink()
    app = page_of(dataset)
    assert "Look for problems again" in app.error[0].value and not app.exception


def test_a_look_at_another_set_is_not_shown(lab):
    looked(make_toy(lab.home, name="other"))
    assert "Look for problems" in labels(page_of(make_toy(lab.home, name="mine")))


def test_hostile_names_and_words_stay_text(lab):
    names = tuple(" ".join(name.split()) for name in HOSTILE_NAMES)
    dataset = make_large(lab.home, rows=len(names) * 4, classes=names, names=list(names) * 4)
    issues = [("dark", str(n), "") for n in range(12)] + [("near", str(n), names[n // 2]) for n in range(16)]
    run = looked(dataset, issues)
    path = run.path / "issues.csv"
    path.write_text(path.read_text().replace("dark says so", "<script>alert(1)</script>"))
    app = page_of(dataset)
    assert healthy(app) and "<script" not in markup(app) and "<svg" not in markup(app) and "<iframe" not in markup(app)
    app.button(key="explore.choose.dark").click().run()
    assert healthy(app) and "](http" not in "".join(labels(app))


def test_a_shortcut_is_shown_with_pictures_of_the_class_and_of_the_others(lab):
    dataset = make_toy(lab.home)
    run = looked(dataset)
    with (run.path / "issues.csv").open("a") as file:
        file.write(
            "shortcut,,0.97,r,The pictures of 'r' are darker.\nblurry,,0.8,,80% are blurred: that is how it is.\n"
        )
    app = page_of(dataset)
    said = text(app)
    assert healthy(app) and "1 classA shortcut for the model" in said and "The pictures of 'r' are darker." in said
    assert "80% are blurred" in said and "8 of 36 pictures stand out" in said
    left, right = markup(app).partition('class="against"')[2].split('class="found"')[1:3]
    assert left.count("</i>r<") == 6 and right.partition("</div></div>")[0].count("</i>r<") == 0
    app.button(key="explore.shortcut.bring").click().run()
    assert app.title[0].value != "Look at your data"


def test_ten_thousand_issues_are_counted_and_a_few_are_shown(lab):
    dataset = make_large(lab.home)
    looked(
        dataset,
        [("dark", str(n), "") for n in range(5000)] + [("near", str(n), str(n // 2)) for n in range(5000)],
    )
    app = page_of(dataset)
    said = text(app)
    assert healthy(app) and "5,000 picturesVery dark" in said and "2,500 groupsNearly" in said
    assert "and 4,988 more pictures" in said and markup(app).count("<figure") < 40
