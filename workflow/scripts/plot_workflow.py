from pathlib import Path

from deepcolor import script
from deepcolor.files import read_json
from deepcolor.report.diagrams.workflow import plot_workflow


def main(*, rules: Path, figure: Path) -> None:
    """Plot the rules of the workflow and which reads the files of which.

    Args:
        rules: JSON file of the rules, see list_rules.
        figure: SVG file to write.
    """
    plot_workflow(read_json(rules), figure)
    print(f"plot_workflow: {figure.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
