"""Fixtures of the app, see tests.ui.support."""

from tests.ui.support import lab, no_engine  # noqa: F401
