import os
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend


def main(*, run: str, model: Path, card: Path, markdown: Path, threads: int, folder: Path) -> None:
    """Export a trained network as ONNX and TensorFlow Lite, with its card, checked against Keras.

    Args:
        run: Name of the run.
        model: `.keras` file of the run.
        card: Model card of the run, JSON.
        markdown: Model card of the run, Markdown.
        threads: CPU threads.
        folder: Folder to write.
    """
    # What both formats are converted from, whatever backend the network was trained with.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    backend.prepare_keras(threads, accelerator="cpu")
    from deepcolor.export import formats
    from deepcolor.files import sha256
    from deepcolor.models import loading

    exported = formats.export(
        loading.load_network(model),
        folder,
        run=run,
        card=card,
        markdown=markdown,
        checksum=sha256(model),
    )
    for line in formats.describe(exported):
        print(f"export_model {run}: {line}", flush=True)


if __name__ == "__main__":
    script.run(main)
