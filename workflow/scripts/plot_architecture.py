from pathlib import Path

from deepcolor import script
from deepcolor.files import read_json
from deepcolor.report.diagrams.architecture import plot_architecture


def main(*, architecture: Path, figure: Path) -> None:
    """Plot the stages of a network.

    Args:
        architecture: JSON file of the stages, see describe_architecture.
        figure: SVG file to write.
    """
    plot_architecture(read_json(architecture), figure)
    print(f"plot_architecture: {figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
