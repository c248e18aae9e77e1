from pathlib import Path
from typing import Literal

from deepcolor import script
from deepcolor.evaluation.lpips_weights import convert


def main(*, weights: Path, network: Literal["alex", "vgg"] = "alex") -> None:
    """Convert the weights of the package lpips to the file that `evaluation.lpips_weights` takes.

    No rule: it runs once, in an environment with cyclopts, lpips, NumPy, PyTorch and torchvision.

    Args:
        weights: `.npz` file to write.
        network: Classifier whose features are compared: AlexNet or VGG16.
    """
    convert(network, weights)
    print(f"convert_lpips: {weights}", flush=True)


if __name__ == "__main__":
    script.run(main, noted=False)
