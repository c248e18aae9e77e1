"""Pictures as arrays: decoding, color spaces, tone."""
