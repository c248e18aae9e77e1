"""Weights that PyTorch has saved, read without PyTorch and without running what the file asks for."""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from deepcolor.errors import DeepColorError, first_line

# torch/serialization.py: how a file begins that `torch.save` wrote before PyTorch 1.6.
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001

# By class of storage, with the byte order that is supported.
DTYPES = {"DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "LongStorage": "<i8"}


class _Storage(NamedTuple):
    """The number and type of values that follow the pickles, of one tensor or several."""

    key: str
    dtype: np.dtype[Any]
    values: int


class _Tensor(NamedTuple):
    """A view of a storage: offset and strides count values, not bytes."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """An unpickler that makes dictionaries and descriptions of tensors, and calls nothing else."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a global name. Raises UnpicklingError for all but a few."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in DTYPES:
            return name  # A word, which cannot be called.
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        """Return the storage that a persistent id describes."""
        kind, dtype, key, _, values, view = pid
        if kind != "storage" or view is not None or not isinstance(values, int):
            raise pickle.UnpicklingError("it describes a storage in an unknown way")
        return self.storages.setdefault(key, _Storage(key, np.dtype(DTYPES[dtype]), values))


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> _Tensor:
    """Describe a tensor; torch._utils._rebuild_tensor_v2 has the same arguments."""
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("it describes a tensor in an unknown way")
    return _Tensor(storage, offset, shape, strides)


def read_torch_weights(path: str | Path) -> dict[str, np.ndarray]:
    """Read a state dictionary that `torch.save` wrote in its format before PyTorch 1.6.

    Such a file is a series of pickles with the bytes of all storages behind them. A pickle can run any
    function: this reader looks up five names and executes nothing.

    Args:
        path: A file such as `efficientnet-lite0-57934424.pth`.

    Returns:
        The tensors by name, as read-only arrays.

    Raises:
        DeepColorError: The file cannot be read, is of another format, or asks for anything else.
    """
    try:
        with open(path, "rb") as file:
            return _read(file, Path(path).stat().st_size)
    except Exception as error:  # A broken pickle raises nearly any.
        raise DeepColorError(
            f"{path} is not a state dictionary of PyTorch before 1.6 ({first_line(error)}); name a file "
            "that torch.save(..., _use_new_zipfile_serialization=False) wrote"
        ) from error


def _read(file: BinaryIO, size: int) -> dict[str, np.ndarray]:
    """Read the tensors of an open file of `size` bytes."""
    magic, version, system = (_Unpickler(file).load() for _ in range(3))
    if (magic, version) != (MAGIC_NUMBER, PROTOCOL_VERSION):
        raise ValueError("its magic number or version is another")
    if system["little_endian"] is not True:
        raise ValueError("its numbers are big-endian")
    unpickler = _Unpickler(file)
    tensors = unpickler.load()
    if not isinstance(tensors, dict) or not all(
        isinstance(name, str) and isinstance(tensor, _Tensor) for name, tensor in tensors.items()
    ):
        raise ValueError("it holds other things than named tensors")
    content = {}
    for key in _Unpickler(file).load():
        storage = unpickler.storages.get(key)
        if storage is None:
            raise ValueError(f"no tensor has storage {key}")
        count = int.from_bytes(file.read(8), "little", signed=True)
        length = count * storage.dtype.itemsize
        if count != storage.values or not 0 <= length <= size - file.tell():
            raise ValueError(f"storage {key} has not the {storage.values} values that are announced")
        content[key] = file.read(length)
    arrays = {}
    for name, tensor in tensors.items():
        dtype = tensor.storage.dtype
        arrays[name] = np.ndarray(  # Which refuses what lies outside of the buffer.
            tensor.shape,
            dtype,
            content[tensor.storage.key],
            tensor.offset * dtype.itemsize,
            tuple(stride * dtype.itemsize for stride in tensor.strides),
        )
    return arrays
