"""What is imported stays imported: the collections after each run need not look at it again and again."""

import gc

import pytest


@pytest.fixture(autouse=True, scope="module")
def frozen_imports():
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
