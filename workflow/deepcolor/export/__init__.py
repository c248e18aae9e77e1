"""Networks in formats that run without Keras."""
