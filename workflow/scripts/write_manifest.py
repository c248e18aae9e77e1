import resource
from pathlib import Path

from deepcolor import script
from deepcolor.data.merge import merge_ranges


def main(
    *,
    data_set: str,
    images: script.Json[dict[str, int]],
    ranges: int,
    folder: Path,
    seed: int,
    near_duplicates: int = 0,
) -> None:
    """Join the ranges of a data set into its manifest.

    Args:
        data_set: Name of the data set.
        images: Number of photographs by split.
        ranges: Number of ranges.
        folder: Folder of the data set, with its ranges, to write to.
        seed: Random seed of the order of the photographs.
        near_duplicates: Bits in which the hashes of near-duplicates may differ.
    """
    # Each range is open while they are merged.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    done = merge_ranges(data_set, images, folder, seed, ranges=ranges, distance=near_duplicates)
    print(f"write_manifest {data_set}: {done}", flush=True)


if __name__ == "__main__":
    script.run(main)
