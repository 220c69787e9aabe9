"""Plots: tables and arrays in, figures out."""
