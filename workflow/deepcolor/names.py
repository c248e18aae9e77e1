"""How runs are called in figures, tables and the report."""

BASELINES = {"grayscale-copy": "Grayscale copy"}

# How the faults of `deepcolor.faults` are said of pictures.
FAULTS = {"black": "black", "one color": "of one color", "gray": "gray", "noise": "noise"}


def label(run: str, separator: str = ", ") -> str:
    """A run's name for readers: "unet, 30 epochs" for unet_30, "Grayscale copy" for the baseline."""
    if run in BASELINES:
        return BASELINES[run]
    model, epochs = run.rsplit("_", 1)
    return f"{model}{separator}{epochs} epoch{'' if epochs == '1' else 's'}"
