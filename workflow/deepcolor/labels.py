"""How runs are called in figures, tables and the report."""

# What needs no network, from the least to the most that is known of the photograph's colors.
BASELINES = {
    "grayscale-copy": "Grayscale copy",
    "mean-chroma": "Training-set mean chroma",
    "mean-chroma-oracle": "Per-image mean chroma (oracle)",
    "true-chroma": "True chroma (bound)",
}
# Those that are told something about the photograph that they color: bounds, no competitors.
TOLD = {"mean-chroma-oracle", "true-chroma"}


def label(run: str, separator: str = ", ") -> str:
    """A run's name for readers: "unet, 30 epochs" for unet_30, "Grayscale copy" for the baseline.

    External predictions are called as the configuration calls them.
    """
    if run in BASELINES:
        return BASELINES[run]
    model, _, epochs = run.rpartition("_")
    return f"{model}{separator}{epochs} epoch{'' if epochs == '1' else 's'}" if model else run
