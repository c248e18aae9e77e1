from pathlib import Path

import numpy as np
from deepcolor import script
from deepcolor.evaluation.distances import measure_distances, summarize_distances
from deepcolor.files import read_json, write_json


def main(*, run: str, features: Path, networks: Path, seed: int, distances: Path) -> None:
    """Measure FID, KID and LPIPS between predictions and photographs, those that there are features for.

    Args:
        run: Name of the run, for messages.
        features: `.npy` file of extract_features.
        networks: JSON file of extract_features.
        seed: Random seed of the subsets of KID.
        distances: JSON file to write.
    """
    content = measure_distances(np.load(features, mmap_mode="r"), read_json(networks), seed)
    write_json(distances, content)
    print(f"measure_distances {run}: {summarize_distances(content)}", flush=True)


if __name__ == "__main__":
    script.run(main)
