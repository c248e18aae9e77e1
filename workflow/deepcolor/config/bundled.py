"""The network that comes with DeepColor, see docs/bundled-network.md."""

from pathlib import Path

BUNDLED = Path(__file__).parents[1] / "models" / "bundled"
BUNDLED_NETWORK = BUNDLED / "deepcolor.onnx"  # For colorizing.
BUNDLED_WEIGHTS = BUNDLED / "deepcolor.safetensors"  # For trainings that start from it.
BUNDLED_ARCHITECTURE = "lite"
