from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend


def main(*, run: str, model: Path, image_size: int, architecture: Path) -> None:
    """Describe a trained network stage by stage, for its diagram.

    Args:
        run: Name of the run, for messages.
        model: `.keras` file of the run.
        image_size: Side of the images in pixels.
        architecture: JSON file to write.
    """
    backend.prepare_keras(threads=1, accelerator="cpu")
    from deepcolor.files import write_json
    from deepcolor.models import loading
    from deepcolor.report.diagrams import stages

    described = stages.describe(loading.load_network(model, image_size))
    write_json(architecture, described)
    print(f"describe_architecture {run}: {len(described['stages'])} stages", flush=True)


if __name__ == "__main__":
    script.run(main)
