"""The history of a training: a row per epoch."""

from deepcolor.training.collapse import MEASURES

History = list[dict[str, float]]

# Keys of a row, in the order of history.csv.
COLUMNS = [
    *("epoch", "loss", "val_loss", "mse", "val_mse"),
    *("psnr", "val_psnr", "accuracy", "val_accuracy"),
    *(f"val_{measure}" for measure in MEASURES),
    *("learning_rate", "seconds", "images_per_second", "val_images_per_second"),
]


def best_epoch(history: History) -> int:
    """Return the epoch, counted from 1, with the lowest validation loss; the first of several."""
    return 1 + min(range(len(history)), key=lambda row: history[row]["val_loss"])


def stops_early(history: History, patience: int) -> bool:
    """Return whether early stopping ends a training after these epochs.

    Args:
        history: A row per finished epoch, or none.
        patience: Number of epochs without a lower validation loss after which training ends, 0 for
            never.
    """
    return bool(patience and history) and len(history) - best_epoch(history) >= patience
