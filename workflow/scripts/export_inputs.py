from pathlib import Path

from deepcolor import script
from deepcolor.compute.startup import import_tensorflow


def main(*, indexes: list[Path], split: str, folder: Path) -> None:
    """Write the inputs as grayscale pictures, for other programs to colorize.

    Args:
        indexes: Indexes of the shards.
        split: Images that networks are evaluated on: validation or test.
        folder: Folder for the pictures.
    """
    import_tensorflow()
    from deepcolor.data.shards import Shards
    from deepcolor.evaluation.samples import export_inputs

    count = export_inputs(Shards(indexes), split, folder)
    print(f"export_inputs: {count} pictures in {folder}", flush=True)


if __name__ == "__main__":
    script.run(main)
