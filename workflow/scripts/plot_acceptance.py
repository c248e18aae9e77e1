from pathlib import Path

from deepcolor import script
from deepcolor.files import read_json
from deepcolor.study.analysis.figures import plot_acceptance


def main(*, acceptance: Path, figure: Path) -> None:
    """Plot the results of the user study.

    Args:
        acceptance: JSON file of the analysis.
        figure: SVG file to write.
    """
    plot_acceptance(read_json(acceptance), figure)
    print(f"plot_acceptance: {figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
