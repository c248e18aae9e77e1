"""What is measured, in words: definitions, units, and which way is better."""

from dataclasses import dataclass

from deepcolor.constants import MAX_DECIBELS

# Before the names of measures that are taken with the luminance of the input in the prediction's place.
KEPT = "kept_"


@dataclass(frozen=True)
class Measure:
    """A measure of an image.

    Attributes:
        label: For the head of a column.
        unit: "" for a pure number.
        digits: After the decimal point, where it is shown.
        better: "higher", "lower", or "" where neither is.
        definition: In a sentence or two, with the source of a formula.
    """

    label: str
    unit: str
    digits: int
    better: str
    definition: str


MEASURES = {
    "mse": Measure(
        "MSE",
        "",
        4,
        "lower",
        "Mean squared error of 8-bit RGB, scaled to [0, 1], over pixels and channels.",
    ),
    "psnr": Measure(
        "PSNR",
        "dB",
        2,
        "higher",
        f"Peak signal-to-noise ratio: -10 log10 of an image's MSE, at most {MAX_DECIBELS:.0f} dB.",
    ),
    "ssim": Measure(
        "SSIM",
        "",
        3,
        "higher",
        "Structural similarity (Wang et al. 2004), Gaussian window of 11×11 pixels with sigma 1.5, mean "
        "of the three RGB channels.",
    ),
    "ciede2000": Measure(
        "CIEDE2000",
        "",
        2,
        "lower",
        "Color difference CIEDE2000 (D65, 2 degree observer), mean over pixels; 1 can just be seen.",
    ),
    "chroma_rmse": Measure(
        "Chroma RMSE",
        "",
        2,
        "lower",
        "Root of the mean squared error of a* and b* of CIELAB, over pixels and the two channels: color "
        "without luminance.",
    ),
    "chroma_deficit": Measure(
        "Chroma deficit",
        "",
        2,
        "lower",
        "How much less chroma (CIELAB) a pixel has than the photograph's, 0 where it has more; mean "
        "over pixels. It shows the desaturation that PSNR rewards.",
    ),
    "colorfulness": Measure(
        "Colorfulness",
        "",
        1,
        "",
        "Colorfulness (Hasler and Süsstrunk 2003, signed opponent channels, 0 to 255) of the "
        "prediction.",
    ),
    "colorfulness_difference": Measure(
        "ΔColorfulness",
        "",
        1,
        "",
        "Colorfulness of the prediction less that of the photograph: 0 is right, below 0 is too gray.",
    ),
    "dominant_channel_accuracy": Measure(
        "Dominant channel",
        "",
        3,
        "higher",
        "Share of pixels whose strongest channel of R, G and B is the photograph's; what Keras calls "
        "accuracy, and the published curves show. Of equal channels the first counts: gray is taken for "
        "red.",
    ),
}

# Taken from means over images, not image by image.
AGGREGATE_MEASURES = {
    "psnr_of_mean_mse": Measure(
        "PSNR of the mean MSE",
        "dB",
        2,
        "higher",
        "-10 log10 of the mean MSE: lower than the mean PSNR wherever images differ in difficulty.",
    ),
}
