"""Predictions on held-out images, their scores, and comparisons of scores."""
