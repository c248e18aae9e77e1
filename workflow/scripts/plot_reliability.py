from pathlib import Path

from deepcolor import script
from deepcolor.files import read_json
from deepcolor.report.reliability_figure import plot_reliability


def main(*, certainty: list[Path], figure: Path) -> None:
    """Plot how often networks of color classes are right against how sure they are.

    Args:
        certainty: certainty.json of each run.
        figure: SVG file to write.
    """
    plot_reliability({file.parent.name: read_json(file) for file in certainty}, figure)
    print(f"plot_reliability: {figure.name}, {len(certainty)} runs", flush=True)


if __name__ == "__main__":
    script.run(main)
