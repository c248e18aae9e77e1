"""The weights of LPIPS, converted from those of the package lpips, which needs PyTorch."""

import warnings
from pathlib import Path

from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import replacing


def convert(network: str, path: Path) -> None:
    """Write weights of LPIPS as `lpips.lpips_network` reads them.

    Those of the classifier are torchvision's, which downloads them once; those of the linear layers come
    with lpips.

    Args:
        network: "alex" or "vgg".
        path: `.npz` file to write.

    Raises:
        DeepColorError: The file is to have another suffix, a package is missing, or the weights cannot
            be downloaded.
    """
    if path.suffix != ".npz":
        raise DeepColorError(f"--weights: {path} is written as .npz; call it so")
    try:
        import lpips
        import numpy as np
        import torch
    except ImportError as error:
        raise DeepColorError(
            f"this needs PyTorch, torchvision and lpips ({first_line(error)}); in an environment of "
            "their own: python -m pip install cyclopts lpips torchvision"
        ) from error
    try:
        with warnings.catch_warnings():  # lpips asks torchvision in a way that it advises against.
            warnings.simplefilter("ignore", UserWarning)
            model = lpips.LPIPS(net=network, version="0.1", verbose=False)
    except OSError as error:
        raise DeepColorError(
            f"the weights of {network} cannot be downloaded ({first_line(error)}); connect to the "
            f"network, or put torchvision's file into {torch.hub.get_dir()}/checkpoints"
        ) from error
    arrays = {}
    convolutions = [layer for layer in model.net.modules() if isinstance(layer, torch.nn.Conv2d)]
    for number, layer in enumerate(convolutions, start=1):
        # PyTorch's (out, in, height, width) becomes (height, width, in, out).
        arrays[f"conv{number}.kernel"] = layer.weight.detach().numpy().transpose(2, 3, 1, 0)
        arrays[f"conv{number}.bias"] = layer.bias.detach().numpy()
    for number, layer in enumerate(model.lins, start=1):
        arrays[f"lin{number}.weight"] = layer.model[-1].weight.detach().numpy().reshape(-1)
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)
