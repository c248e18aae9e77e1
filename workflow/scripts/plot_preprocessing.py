from pathlib import Path

from deepcolor import script
from deepcolor.report.figures import plot_preprocessing
from deepcolor.report.preprocessing import draw_photographs, preprocess


def main(*, manifest: Path, image_size: int, images: int, seed: int, figure: Path) -> None:
    """Plot photographs of a data set before and after preprocessing.

    Args:
        manifest: Manifest of the data set.
        image_size: Side of the images in pixels.
        images: Largest number of photographs to plot.
        seed: Random seed of the draw.
        figure: PNG file to write.
    """
    paths = draw_photographs(manifest, images, seed)
    before, sizes, after = preprocess(paths, image_size, manifest)
    plot_preprocessing(before, sizes, after, figure)
    print(f"plot_preprocessing: {figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
