"""Gradient descent taken apart: a line through points, real gradients, nothing of the lab's own training."""
