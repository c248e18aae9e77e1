"""How the faults of `deepcolor.faults` are said of pictures."""

FAULTS = {"black": "black", "one color": "of one color", "gray": "gray", "noise": "noise"}
