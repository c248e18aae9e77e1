from pathlib import Path

from deepcolor import script
from deepcolor.compute.startup import import_tensorflow


def main(*, indexes: list[Path], split: str, images: int, seed: int, samples: Path) -> None:
    """Draw the held-out images that the figures show.

    Args:
        indexes: Indexes of the shards.
        split: Images that networks are evaluated on: validation or test.
        images: Number of images to draw.
        seed: Random seed of the draw.
        samples: `.npz` file to write.
    """
    import_tensorflow()
    from deepcolor.data.shards import Shards
    from deepcolor.evaluation.samples import draw_samples

    count = draw_samples(Shards(indexes), split, images, seed, samples)
    print(f"draw_samples: {count} images", flush=True)


if __name__ == "__main__":
    script.run(main)
