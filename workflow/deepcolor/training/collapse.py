"""Outputs that have collapsed, as in the published report's Figure 10, found by how they look.

Five measures of a network's pictures, each 1 (or near) for perfect ones, are taken on the
validation images after every epoch; `detect_collapse` names the kind of collapse, if there is one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from deepcolor.imaging import color

MEASURES = ("brightness", "contrast", "chroma", "roughness", "structure")

# Pictures with less than this share of the photographs' brightness, contrast or chroma count as
# black, as uniform, as gray. Measured, networks that had learned something kept at least 0.9 of the
# brightness, 0.3 of the contrast (blurred pictures) and 0.5 of the chroma; collapsed ones have next
# to nothing, so that the exact share hardly matters.
MIN_SHARE = 0.1
# Mean correlation of the luminance with the input's below which pictures count as noise.
# Photographs that are blurred down to 6×6 pixels keep 0.7; soft shapes that do not depend on the
# input have between -0.2 and 0.2.
MIN_STRUCTURE = 0.4
# Colors that change from pixel to pixel this many times as much as the photographs' count as noise,
# too: a network with its input's luminance shows its noise in the colors alone. Measured, networks
# that had learned something had 0.3 to 1.4, young ones up to 2.8; random colors on pixels have 13.
MAX_ROUGHNESS = 4.0


def detect_collapse(measures: Mapping[str, float]) -> str | None:
    """Return the kind of collapse that a network's pictures show.

    Args:
        measures: Values of MEASURES, see `Measures`.

    Returns:
        "black", "uniform" (one color everywhere), "noise" (nothing to do with the input), "gray"
        (the input returned, or another picture without color), or None.
    """
    if measures["brightness"] < MIN_SHARE:
        return "black"
    if measures["contrast"] < MIN_SHARE:
        return "uniform"
    if measures["structure"] < MIN_STRUCTURE or measures["roughness"] > MAX_ROUGHNESS:
        return "noise"
    if measures["chroma"] < MIN_SHARE:
        return "gray"
    return None


def of_validation(row: Mapping[str, float]) -> dict[str, float]:
    """Return the measures, by name, that a row of a history has of the validation images."""
    return {measure: row[f"val_{measure}"] for measure in MEASURES}


def collapsed_epochs(history: Sequence[Mapping[str, float]]) -> list[dict[str, Any]]:
    """Return the epochs after which the validation pictures had collapsed.

    Args:
        history: A row per epoch, with the measures of the validation images.

    Returns:
        By epoch: `epoch`, counted from 1, and `collapse`, its kind.
    """
    kinds = ((row["epoch"], detect_collapse(of_validation(row))) for row in history)
    return [{"epoch": epoch, "collapse": kind} for epoch, kind in kinds if kind]


class Measures(keras.metrics.Metric):
    """The measures of predictions, over all images since the last reset.

    - brightness: mean of RGB, as a share of the photographs'.
    - contrast: standard deviation of RGB over the pixels of a picture (root of the channels' mean
      variance), mean over pictures, as a share of the photographs'.
    - chroma: mean distance of (R-Y, B-Y) from gray, where Y is the luma, as a share of the
      photographs'.
    - roughness: mean absolute difference of R-Y and B-Y between neighboring pixels, likewise.
    - structure: Pearson correlation of a picture's luma with the photograph's, mean over pictures.
    """

    def __init__(self, name: str = "measures") -> None:
        super().__init__(name=name)
        # Sums over images: of four quantities for predictions and for photographs; of the
        # correlation and of the images.
        self.sums = self.add_variable((2, 4), "zeros", name="sums")
        self.structure = self.add_variable((2,), "zeros", name="structure")

    def update_state(
        self,
        y_true: keras.KerasTensor,
        y_pred: keras.KerasTensor,
        sample_weight: None = None,
    ) -> None:
        """Add a batch.

        Args:
            y_true: Photographs, `(batch, height, width, 3)` RGB, 0 to 255.
            y_pred: Predictions, `(batch, height, width, 3)` RGB, float in [0, 1].
            sample_weight: Not used.
        """
        truth = color.to_float(y_true)
        quantities, lumas = [], []
        for rgb in (ops.cast(y_pred, "float32"), truth):
            luma = color.to_luminance(rgb * 255)
            chroma = (rgb - luma)[..., ::2]
            across = ops.mean(ops.abs(chroma[:, :, 1:] - chroma[:, :, :-1]), axis=(1, 2, 3))
            down = ops.mean(ops.abs(chroma[:, 1:] - chroma[:, :-1]), axis=(1, 2, 3))
            quantities.append(
                ops.stack(
                    [
                        ops.sum(ops.mean(rgb, axis=(1, 2, 3))),
                        ops.sum(ops.sqrt(ops.mean(ops.var(rgb, axis=(1, 2)), axis=-1))),
                        ops.sum(ops.mean(ops.sqrt(ops.sum(ops.square(chroma), axis=-1)), axis=(1, 2))),
                        ops.sum(across + down),
                    ]
                )
            )
            lumas.append(luma - ops.mean(luma, axis=(1, 2, 3), keepdims=True))
        predicted, true = lumas
        covariance = ops.mean(predicted * true, axis=(1, 2, 3))
        deviations = ops.sqrt(
            ops.mean(ops.square(predicted), axis=(1, 2, 3)) * ops.mean(ops.square(true), axis=(1, 2, 3))
        )
        correlation = ops.where(
            deviations > 1e-8, covariance / ops.maximum(deviations, 1e-8), ops.zeros_like(covariance)
        )
        images = ops.cast(ops.shape(truth)[0], "float32")
        self.sums.assign_add(ops.stack(quantities))
        self.structure.assign_add(ops.stack([ops.sum(correlation), images]))

    def result(self) -> dict[str, keras.KerasTensor]:
        """The measures by name, float32; zeros before the first batch."""
        shares = ops.divide_no_nan(self.sums[0], self.sums[1])
        structure = ops.divide_no_nan(self.structure[0], self.structure[1])
        return {**dict(zip(MEASURES, ops.unstack(shares), strict=False)), "structure": structure}
