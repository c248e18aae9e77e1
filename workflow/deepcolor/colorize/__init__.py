"""Photographs of one's own in color: read, predicted, composed, marked, written. No TensorFlow."""
