"""Write the weights of LPIPS as `evaluation.lpips_weights` takes them, from those of the package lpips.

No rule: it runs once, in an environment with PyTorch, torchvision, NumPy and lpips, for instance

    python workflow/scripts/convert_lpips.py --network alex --weights lpips-alex.npz

The weights of the classifier are torchvision's, which downloads them once; those of the linear layers
come with lpips.
"""

import argparse
import warnings
from pathlib import Path

from deepcolor import script
from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import replacing


def main() -> None:
    """Parse the command line and convert."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--network", choices=["alex", "vgg"], default="alex", help="AlexNet or VGG16")
    parser.add_argument("--weights", type=Path, required=True, help=".npz file to write")
    args = parser.parse_args()
    if args.weights.suffix != ".npz":
        raise DeepColorError(f"--weights: {args.weights} is written as .npz; call it so")
    try:
        import lpips
        import numpy as np
        import torch
    except ImportError as error:
        raise DeepColorError(
            f"this needs PyTorch, torchvision and lpips ({first_line(error)}); in an environment of "
            "their own: python -m pip install lpips torchvision"
        ) from error
    try:
        with warnings.catch_warnings():  # lpips asks torchvision in a way that it advises against.
            warnings.simplefilter("ignore", UserWarning)
            model = lpips.LPIPS(net=args.network, version="0.1", verbose=False)
    except OSError as error:
        raise DeepColorError(
            f"the weights of {args.network} cannot be downloaded ({first_line(error)}); connect to the "
            f"network, or put torchvision's file into {torch.hub.get_dir()}/checkpoints"
        ) from error
    arrays = {}
    convolutions = [each for each in model.net.modules() if isinstance(each, torch.nn.Conv2d)]
    for number, layer in enumerate(convolutions, start=1):
        # PyTorch's (out, in, height, width) becomes (height, width, in, out).
        arrays[f"conv{number}.kernel"] = layer.weight.detach().numpy().transpose(2, 3, 1, 0)
        arrays[f"conv{number}.bias"] = layer.bias.detach().numpy()
    for number, layer in enumerate(model.lins, start=1):
        arrays[f"lin{number}.weight"] = layer.model[-1].weight.detach().numpy().reshape(-1)
    with replacing(args.weights) as temporary:
        np.savez(temporary, **arrays)
    print(f"convert_lpips: {args.weights}", flush=True)


if __name__ == "__main__":
    script.run(main, noted=False)
