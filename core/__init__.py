"""Bearings: from a folder of photos to a prediction, one step at a time.

files, zips, camera ──> data ──> vision ──> train ──> diagnose ──> deploy
     (bytes)          (table)  (tensors)  (events)  (findings)   (one file, a page)
                                  │
                      jobs run it anywhere; ui shows it; pages say it

Imports point one way: pages, __main__ -> ui -> text, plots -> deploy, diagnose -> jobs -> train -> vision -> data ->
workspace, settings, errors. `tests/test_layers.py` enforces it.
"""

__version__ = "0.1.0"
