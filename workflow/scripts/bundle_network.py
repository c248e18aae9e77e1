import os
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend


def main(*, run: str, model: Path, exported: Path, manifests: list[Path], folder: Path) -> None:
    """Gather the files with which a network comes with DeepColor, see docs/bundled-network.md.

    Args:
        run: Name of the run.
        model: `.keras` file of the run, whose network is `lite` with color classes.
        exported: Folder of the exported network.
        manifests: Manifests of the data sets that it was trained on.
        folder: Folder to write.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    backend.prepare_keras(1, accelerator="cpu")
    from deepcolor.export import bundling
    from deepcolor.models import loading

    found = bundling.bundle(loading.load_network(model), exported, manifests, folder)
    for name, size in found.sizes.items():
        print(f"bundle_network {run}: {name}, {size / 1e6:.2f} MB", flush=True)
    print(
        f"bundle_network {run}: with its weights in float16 pictures differ by "
        f"{found.greatest_difference:.2g} at most, {found.mean_difference:.2g} in the mean",
        flush=True,
    )


if __name__ == "__main__":
    script.run(main)
