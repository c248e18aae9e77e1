"""Show photographs of a data set before and after preprocessing."""

import argparse
import random
from pathlib import Path

import numpy as np
from deepcolor import script
from deepcolor.data.manifest import chunks, unreadable
from deepcolor.imaging.decoding import open_rgb, read_square
from deepcolor.report.figures import plot_preprocessing

SHOWN = 6  # Photographs that fit side by side.
SIDE = 512  # Pixels of a photograph's longer side that the figure can show.


def main() -> None:
    """Parse the command line and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="of the data set")
    parser.add_argument("--image-size", type=int, required=True, help="side in pixels")
    parser.add_argument("--images", type=int, required=True, help="how many, at most")
    parser.add_argument("--seed", type=int, required=True, help="of the draw")
    parser.add_argument("--figure", type=Path, required=True, help="PNG file to write")
    args = parser.parse_args()
    count = sum(len(rows) for rows in chunks(args.manifest, ["path"]))
    places = random.Random(f"{args.seed}").sample(range(count), min(args.images, SHOWN, count))
    paths: dict[int, str] = {}
    for rows in chunks(args.manifest, ["path"]):
        paths |= rows["path"][rows.index.isin(places)].to_dict()
    drawn = [paths[place] for place in places]
    before, sizes, after = [], [], []
    for path in drawn:
        try:
            photograph = open_rgb(path)
            square, size = read_square(path, args.image_size)
        except ValueError as error:
            raise unreadable(path, error, args.manifest) from error
        photograph.thumbnail((SIDE, SIDE))
        before.append(np.asarray(photograph))
        sizes.append(size)
        after.append(square)
    plot_preprocessing(before, sizes, after, args.figure)
    print(f"plot_preprocessing: {args.figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
