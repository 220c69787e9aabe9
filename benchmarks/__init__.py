"""Benchmarks: each prints ratios against a peer or a floor that was measured in the same run."""
