"""The command `deepcolor`."""
