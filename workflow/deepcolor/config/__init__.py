"""The configuration: read, checked, completed, and what follows from it."""
