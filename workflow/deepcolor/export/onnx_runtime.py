"""ONNX Runtime, kept quiet."""

import os
from types import ModuleType


def load() -> ModuleType:
    """The package onnxruntime, which prints nothing by itself and tells its makers nothing.

    Left to itself it notes every run in files in the home folder, and sends them off.

    Raises:
        ImportError: It is not installed.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)  # What goes wrong is said by an error.
    return onnxruntime
