"""Weights in PyTorch's old format: read as they are, and never run."""

import builtins
import io
import os
import pickle
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from deepcolor.errors import DeepColorError
from deepcolor.models.torch_weights import read_torch_weights

MAGIC_NUMBER, PROTOCOL_VERSION = 0x1950A86A20F9469CFC6C, 1001  # torch/serialization.py
SYSTEM = {"protocol_version": PROTOCOL_VERSION, "little_endian": True, "type_sizes": {"int": 4}}


class Storage(NamedTuple):
    """A stand-in for a storage of PyTorch."""

    kind: type
    key: str
    values: np.ndarray


class Call:
    """What a pickle makes by calling a function."""

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self.reduced = function, arguments

    def __reduce__(self) -> Any:
        return self.reduced


class Pickler(pickle.Pickler):
    """A pickler that writes storages as PyTorch does."""

    def persistent_id(self, obj: object) -> Any:
        if isinstance(obj, Storage):
            return "storage", obj.kind, obj.key, "cpu", len(obj.values), None
        return None


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A package of PyTorch's name, so that pickle writes the names that PyTorch's files have."""
    modules = {name: ModuleType(name) for name in ("torch", "torch._utils")}
    for name in ("FloatStorage", "LongStorage", "BoolStorage"):
        setattr(modules["torch"], name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2(*_: object) -> None: ...

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    modules["torch._utils"]._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return modules["torch"]


def tensor(storage: Storage, offset: int, shape: Any, strides: Any) -> Call:
    rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
    return Call(rebuild, storage, offset, shape, strides, False, OrderedDict())


def pickled(content: object) -> bytes:
    file = io.BytesIO()
    Pickler(file, protocol=2).dump(content)
    return file.getvalue()


def saved(
    tensors: object, *storages: Storage, magic: int = MAGIC_NUMBER, system: object = SYSTEM
) -> bytes:
    """A file as `torch.save` wrote it before PyTorch 1.6."""
    parts = [pickled(part) for part in (magic, PROTOCOL_VERSION, system, tensors)]
    parts.append(pickled([storage.key for storage in storages]))
    for storage in storages:
        parts += [struct.pack("<q", len(storage.values)), storage.values.tobytes()]
    return b"".join(parts)


@pytest.fixture
def storage(torch: ModuleType) -> Storage:
    return Storage(torch.FloatStorage, "17", np.arange(12, dtype="<f4"))


def test_tensors_are_views_of_storages(torch: ModuleType, storage: Storage, tmp_path: Path) -> None:
    steps = Storage(torch.LongStorage, "18", np.array([7], "<i8"))
    tensors = OrderedDict(
        whole=tensor(storage, 0, (3, 4), (4, 1)),
        transposed=tensor(storage, 0, (4, 3), (1, 4)),
        part=tensor(storage, 5, (2,), (4,)),
        steps=tensor(steps, 0, (), ()),
    )
    (tmp_path / "weights.pth").write_bytes(saved(tensors, steps, storage))
    arrays = read_torch_weights(tmp_path / "weights.pth")
    whole = np.arange(12).reshape(3, 4)
    expected = {"whole": whole, "transposed": whole.T, "part": np.array([5, 9]), "steps": np.array(7)}
    assert list(arrays) == list(expected)
    for name, array in arrays.items():
        assert np.array_equal(array, expected[name]) and array.dtype == (
            np.int64 if name == "steps" else np.float32
        )


def refused(content: bytes, path: Path) -> str:
    path.write_bytes(content)
    with pytest.raises(DeepColorError) as raised:
        read_torch_weights(path)
    message = str(raised.value)
    assert message.startswith(f"{path} is not a state dictionary") and "\n" not in message
    return message


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (os.system, ["touch {witness}"]),
        (builtins.eval, ["open('{witness}', 'w')"]),
        (builtins.getattr, ["", "join"]),
        (os.mkdir, ["{witness}"]),
        (np.zeros, [3]),
    ],
)
@pytest.mark.parametrize("place", range(5))
def test_nothing_is_called(
    storage: Storage, tmp_path: Path, function: Any, arguments: list[Any], place: int
) -> None:
    witness = tmp_path / "witness"
    call = Call(
        function,
        *(value.format(witness=witness) if isinstance(value, str) else value for value in arguments),
    )
    parts: list[Any] = [MAGIC_NUMBER, PROTOCOL_VERSION, SYSTEM, {}, []]
    parts[place] = {"weight": call}
    content = b"".join(pickled(part) for part in parts)
    assert "it asks for " in refused(content, tmp_path / "weights.pth")
    assert not witness.exists()


@pytest.mark.parametrize(
    "text",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"(S'true'\nios\nsystem\n.",
        b"ctorch\nFloatStorage\n(tR.",  # The name of a storage is a word: it cannot be called.
        b"ctorch._utils\n_rebuild_tensor_v2\n}S'__globals__'\n}s\x86b.",
        b"ccollections\nOrderedDict\n}S'get'\nNs\x86b.",
        b"ctorch\n_utils\n.",
        b"Pstorage\n.",
        b"",
        b"garbage",
    ],
)
def test_odd_pickles_are_refused(text: bytes, tmp_path: Path) -> None:
    start = b"".join(pickled(part) for part in (MAGIC_NUMBER, PROTOCOL_VERSION, SYSTEM))
    refused(start + text + pickled([]), tmp_path / "weights.pth")
    assert OrderedDict(a=1).get("a") == 1


def test_every_truncation_is_refused(storage: Storage, tmp_path: Path) -> None:
    content = saved({"weight": tensor(storage, 0, (12,), (1,))}, storage)
    (tmp_path / "whole.pth").write_bytes(content)
    assert read_torch_weights(tmp_path / "whole.pth")["weight"].shape == (12,)
    for length in range(len(content)):
        refused(content[:length], tmp_path / "weights.pth")


def test_other_formats_are_refused(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    tensors = {"weight": tensor(storage, 0, (12,), (1,))}
    assert "magic number" in refused(saved(tensors, storage, magic=MAGIC_NUMBER + 1), path)
    assert "big-endian" in refused(saved(tensors, storage, system={"little_endian": False}), path)
    refused(saved(tensors, storage, system={}), path)
    refused(b"PK\x03\x04" + bytes(100), path)
    refused(pickled(tensors), path)
    for other in ([1, 2], {"weight": 1}, {1: tensors["weight"]}):
        assert "named tensors" in refused(saved(other, storage), path)
    with pytest.raises(DeepColorError, match=r"absent\.pth is not a state dictionary.*No such file"):
        read_torch_weights(tmp_path / "absent.pth")


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (13,), (1,)),
        (1, (12,), (1,)),
        (-1, (2,), (1,)),
        (0, (2, 12), (1, 1)),
        (0, (2,), (-1,)),
        (0, (2,), (2**40,)),
        (2**70, (1,), (1,)),
        (0, (-1,), (1,)),
        (0, (2, 2), (1,)),
        (0, (2.0,), (1,)),
        (0, None, (1,)),
    ],
)
def test_tensors_stay_in_their_storage(
    storage: Storage, tmp_path: Path, offset: Any, shape: Any, strides: Any
) -> None:
    content = saved({"weight": tensor(storage, offset, shape, strides)}, storage)
    refused(content, tmp_path / "weights.pth")


def test_storages_have_the_announced_length(torch: ModuleType, storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    tensors = {"weight": tensor(storage, 0, (1,), (1,))}
    short = storage._replace(values=storage.values[:6])
    assert "storage 17 has not the 12 values" in refused(saved(tensors, short), path)
    content = saved(tensors, storage)
    tail = struct.pack("<q", 12) + storage.values.tobytes()
    assert content.endswith(tail)
    for count in (-1, 2**62):
        announced = content[: -len(tail)] + struct.pack("<q", count) + storage.values.tobytes()
        assert "storage 17 has not" in refused(announced, path)
    refused(saved(tensors), path)  # No values at all.
    assert "no tensor has storage 17" in refused(saved({}, storage), path)
    other = Storage(torch.BoolStorage, "17", np.zeros(12, "<f4"))
    assert "it asks for torch.BoolStorage" in refused(
        saved({"weight": tensor(other, 0, (1,), (1,))}, other), path
    )
