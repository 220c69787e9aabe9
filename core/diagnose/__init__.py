"""Diagnosis: a table of epochs in, findings in words out."""
