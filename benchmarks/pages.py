"""How long a page takes on the server with 10,000 pictures, against the rerun of a page that shows one sentence.

The pages run as Streamlit runs them, without a browser: what is measured is the script, from the click to its end. Data
set, trained model and search of the cleaner are the tests' stand-ins; their tables are as long as real ones.

    python -m benchmarks.pages [--rows 10000] [--reruns 40]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from core.ui import cache, confusion, explore
from tests.jobs.fake_engine import FakeEngine
from tests.ui.answers import read
from tests.ui.support import Oracle, open_page, ready, training_run
from tests.ui.suspects import searched
from tests.ui.test_explore import make_large

RUNS = 200


@contextlib.contextmanager
def lab(home: Path) -> Iterator[None]:
    """The app over a workspace of its own, with an engine that only takes notes."""
    os.environ["BEARINGS_HOME"] = str(home)
    cache.settings.cache_clear()
    port, demo = ready(FakeEngine(held=True)), ready(Oracle())
    cache.engine, cache.demo = (lambda: port), (lambda: demo)
    # before every run the test's runtime reads the metadata of all installed packages; the app has no such component
    BidiComponentManager.discover_and_register_components = lambda self, **options: None
    yield


def times(app: AppTest, act: Callable[[AppTest], object], reruns: int) -> dict[str, float]:
    """Milliseconds of `reruns` warm runs, each after `act`."""
    spent = []
    for _ in range(reruns + 2):
        start = time.perf_counter()
        act(app)
        spent.append(1000 * (time.perf_counter() - start))
        if app.exception or app.error:
            raise SystemExit(f"the page failed: {app.exception or app.error}")
    warm = sorted(spent[2:])
    return {"median_ms": round(statistics.median(warm), 1), "p95_ms": round(warm[int(0.95 * len(warm))], 1)}


def rerun(app: AppTest) -> object:
    """The whole page once more."""
    return app.run()


def next_suspect(app: AppTest) -> object:
    """Keep the suspect on the screen, which writes the mark down and shows the next one."""
    return next(button for button in app.button if str(button.key).startswith("clean.keep")).click().run()


def other_order(app: AppTest) -> object:
    """The pictures in one order or the other, in turns."""
    control = app.segmented_control(key="top_losses.sort")
    return control.set_value("unsure" if control.value == "loss" else "loss").run()


def other_threshold(app: AppTest) -> object:
    """The slider a hundredth further, back at 0.5 after the end."""
    control = app.slider(key="confusion.threshold")
    return control.set_value(0.5 if control.value > 0.98 else round(control.value + 0.01, 2)).run()


def main() -> None:
    """Measure everything in turns and print it as JSON, with the ratio to the floor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--reruns", type=int, default=40)
    options = parser.parse_args()
    floor = times(AppTest.from_string('import streamlit as st; st.write("one sentence")').run(), rerun, options.reruns)
    figures = {"floor: one sentence": floor}
    with tempfile.TemporaryDirectory(prefix="bearings-pages-") as folder, lab(Path(folder)):
        dataset = make_large(Path(folder), rows=options.rows)
        searched(dataset)
        for part in explore.PARTS:
            figures[f"explore, {part}"] = times(open_page("explore", look=part), rerun, options.reruns)
        for part in ("pictures", "bring", "classes", "take"):
            figures[f"build, {part}"] = times(open_page("build", part=part), rerun, options.reruns)
        figures["clean, next suspect"] = times(open_page("clean"), next_suspect, options.reruns)
        read(dataset)
        figures["top losses"] = times(open_page("top_losses"), rerun, options.reruns)
        figures["top losses, another order"] = times(open_page("top_losses"), other_order, options.reruns)
        for part in confusion.PARTS:
            figures[f"confusion, {part}"] = times(open_page("confusion", part=part), rerun, options.reruns)
        figures["confusion, another threshold"] = times(
            open_page("confusion", part="sure"), other_threshold, options.reruns
        )
        for _ in range(RUNS):
            training_run(dataset, epochs=4, wrong=(6, 5, 4, 3), weights=False)
        figures[f"runs, {RUNS} of them"] = times(open_page("runs"), rerun, options.reruns)
        figures[f"top losses, {RUNS} runs"] = times(open_page("top_losses"), rerun, options.reruns)
        for part in ("lab", "runs", "data", "log"):
            figures[f"what went wrong, {part}, {RUNS} runs"] = times(
                open_page("diagnose", part=part), rerun, options.reruns
            )
    for figure in figures.values():
        figure["times_the_floor"] = round(figure["median_ms"] / floor["median_ms"], 1)
    print(json.dumps({"rows": options.rows, "pages": figures}, indent=1))


if __name__ == "__main__":
    main()
