"""Diagnosis: a table of epochs in, findings in words out."""

from core.diagnose.base import SEVERITIES, Finding
from core.diagnose.curve_checks import diagnose

__all__ = ["SEVERITIES", "Finding", "diagnose"]
