"""How runs are called in figures, tables and the report."""

# What needs no network, from the least to the most that is known of the photograph's colors.
BASELINES = {
    "grayscale-copy": "Grayscale copy",
    "mean-chroma": "Training-set mean chroma",
    "mean-chroma-oracle": "Per-image mean chroma (oracle)",
    "true-chroma": "True chroma (bound)",
}
# The model of config.yaml that is not trained there.
REFERENCES = {"bundled": "Bundled network, trained elsewhere"}
# Baselines that know something of the photograph that they color: bounds, not competitors.
ORACLES = {"mean-chroma-oracle", "true-chroma"}


def run_label(run: str, separator: str = ", ") -> str:
    """Return a run's name for readers: "unet, 30 epochs" for unet_30, "Grayscale copy".

    External predictions are called as in the configuration.

    Args:
        run: Name of a run, of external predictions or of a baseline.
        separator: Text between the model and its epochs.
    """
    if run in BASELINES or run in REFERENCES:
        return (BASELINES | REFERENCES)[run]
    model, _, epochs = run.rpartition("_")
    return f"{model}{separator}{epochs} epoch{'' if epochs == '1' else 's'}" if model else run
