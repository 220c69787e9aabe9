"""Deployment: a trained run in, one file and predictions out."""
