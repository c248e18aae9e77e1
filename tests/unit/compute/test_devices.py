"""The devices: which are used, what is said when they cannot be, and a training on several."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROJECT
from deepcolor.compute import devices
from deepcolor.compute.distribution import Distribution, make_distribution
from deepcolor.errors import DeepColorError

# Under TensorFlow "normalized" may differ; under JAX, which normalizes over the whole batch, it may not.
TRAININGS = {
    "adam": {"optimizer": "adam", "learning_rate": 0.01, "use_ema": True},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.5},
    "normalized": {"optimizer": "adam", "learning_rate": 0.01},
}

# What is imported beside Keras.
IMPORTED = """
import os, sys
from deepcolor import script
from deepcolor.compute import backend
backend.prepare_keras(2, accelerator="cpu")
assert os.environ["KERAS_BACKEND"] == "tensorflow" and "tensorflow" in sys.modules
assert not {"jax", "matplotlib", "sklearn"} & set(sys.modules)
import jax, matplotlib.pyplot, sklearn
"""

# Trains a small network on 1 or 2 parts of the CPU in these ways; prints losses and weights as JSON.
PROGRAM = """
import json, sys
from deepcolor import script
from deepcolor.compute import backend
count = int(sys.argv[1])
distribution = backend.prepare_keras(2, accelerator="cpu", devices=count)
assert distribution.count == count
import keras, numpy as np, tensorflow as tf
from keras import layers
assert len(keras.distribution.list_devices()) == count
data = np.random.default_rng(0).random((22, 16, 16, 1), np.float32)
data = np.concatenate([data, data**2, 1 - data], axis=-1)
batches = tf.data.Dataset.from_tensor_slices(data).batch(8)  # The last is of 6.

class Trainer(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return super().compute_loss(x, x, y_pred, sample_weight, training)

def train(name, optimizer, **options):
    keras.utils.set_random_seed(1)
    with distribution.scope():
        photograph = keras.Input((16, 16, 3))
        x = layers.Conv2D(8, 3, strides=2, padding="same")(photograph[..., :1])
        if name == "normalized":
            x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
        x = layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="sigmoid")(x)
        model = Trainer(photograph, x)
        optimizer = keras.optimizers.get({"class_name": optimizer, "config": options})
        model.compile(optimizer, loss="mse", jit_compile=keras.backend.backend() == "jax")
        model.optimizer.build(model.trainable_variables)
    history = model.fit(
        distribution.share_out(batches.repeat(3)), steps_per_epoch=3, epochs=3, verbose=0, shuffle=False,
        validation_data=distribution.share_out(batches), validation_steps=3,
    ).history
    distribution.average_statistics(model)
    values = [*model.weights, *model.optimizer.variables]
    if keras.backend.backend() == "tensorflow" and count > 1:
        for first, second in (value.value.values for value in values):
            assert np.array_equal(first, second), "the devices differ"
    weights = [np.ravel(keras.ops.convert_to_numpy(value)).tolist() for value in values]
    return {"losses": history["loss"] + history["val_loss"], "weights": weights}

print(json.dumps({name: train(name, **way) for name, way in json.loads(sys.argv[2]).items()}))
"""


def run(
    program: str, *arguments: str, **environment: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run a program in a process of its own; give what came of it, and the lines of stderr."""
    # Another test may have hidden the GPUs from this process, to read shards.
    inherited = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**inherited, "PYTHONPATH": str(PROJECT / "workflow"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return result, result.stderr.splitlines()


def farthest(ours: list, theirs: list) -> float:
    """The largest difference between two nested lists of numbers of the same shape."""
    if not isinstance(ours, list):
        return abs(ours - theirs)
    return max((farthest(a, b) for a, b in zip(ours, theirs, strict=True)), default=0.0)


def trained(devices: int, backend: str, ways: list[str]) -> dict[str, dict[str, list]]:
    chosen = json.dumps({way: TRAININGS[way] for way in ways})
    result, _ = run(PROGRAM, str(devices), chosen, KERAS_BACKEND=backend)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_keras_is_imported_without_what_is_not_used(tmp_path: Path) -> None:
    # Nor does a file in the home folder choose the backend.
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras/keras.json").write_text('{"backend": "jax"}')
    result = subprocess.run(
        [sys.executable, "-c", IMPORTED],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("KERAS_")},
            "HOME": str(tmp_path),
            "PYTHONPATH": str(PROJECT / "workflow"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("backend", "ways"),
    [
        ("tensorflow", ["adam"]),
        pytest.param("tensorflow", ["sgd", "normalized"], marks=pytest.mark.slow),
        pytest.param("jax", ["normalized"], marks=pytest.mark.slow),
    ],
)
def test_two_devices_train_like_one(backend: str, ways: list[str]) -> None:
    one, two = (trained(count, backend, ways) for count in (1, 2))
    for way in ways:
        losses = one[way]["losses"]
        assert len(losses) == 6 and losses[2] < losses[0] - 1e-4 and losses[5] < losses[3] - 1e-4
        apart = farthest(losses, two[way]["losses"])
        if way == "normalized" and backend == "tensorflow":
            assert 1e-6 < apart < 1e-2
        else:
            assert apart < 1e-5
        if way != "normalized":  # Whose bias before it has no gradient but noise, which Adam scales up.
            assert farthest(one[way]["weights"], two[way]["weights"]) < 1e-4


PREPARE = """
import json, os, sys
from deepcolor import script
from deepcolor.compute import backend
script.run(lambda: backend.prepare_keras(2, **json.loads(sys.argv[1])))
import keras
from deepcolor.compute import devices
assert os.environ["TF_NUM_INTRAOP_THREADS"] == os.environ["OMP_NUM_THREADS"] == "2"
print(devices.device_name(), devices.peak_device_memory(), keras.config.dtype_policy().name)
"""


# Prints how products of float32 are computed on a GPU, without options and with TF32.
TF32 = """
import sys
from deepcolor.compute import backend
for options in ({}, {"tf32": True}):
    backend.prepare_keras(2, accelerator="cpu", **options)
    if sys.argv[1] == "tensorflow":
        import tensorflow as tf
        print(tf.config.experimental.tensor_float_32_execution_enabled())
    else:
        import jax
        print("HIGHEST" not in str(jax.make_jaxpr(lambda x: x @ x)(jax.numpy.ones((2, 2)))))
"""


@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=pytest.mark.slow)])
def test_tf32_is_used_only_where_it_is_asked_for(backend: str) -> None:
    result, _ = run(TF32, backend, KERAS_BACKEND=backend)
    assert result.stdout.split() == ["False", "True"], result.stderr


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """Variables that show a GPU, which is not there: no backend can use it."""
    if devices.device_name() == "GPU":
        pytest.skip("there is a GPU that can be used")
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        "#!/bin/sh\necho 'GPU 0: NVIDIA H200 (UUID: GPU-1)'\necho ' MIG 1g.18gb Device 0: (UUID: 2)'\n"
        "echo 'GPU 1: NVIDIA L4 (UUID: GPU-3)'\n"
    )
    tool.chmod(0o755)
    return {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=pytest.mark.slow)])
def test_gpu_that_cannot_be_used_is_named_in_one_line(backend: str, machine: dict[str, str]) -> None:
    options = json.dumps({"precision": "bfloat16"})
    result, said = run(PREPARE, options, KERAS_BACKEND=backend, **machine)
    assert result.returncode == 0 and result.stdout == "CPU None mixed_bfloat16\n"
    assert len(said) == 1 and "cannot use NVIDIA H200, NVIDIA L4, and computes on the CPU" in said[0]
    assert {"tensorflow": "make report GPU=1", "jax": "jax[cuda12]"}[backend] in said[0]


@pytest.mark.slow
def test_nothing_is_said_where_the_cpu_is_meant(machine: dict[str, str]) -> None:
    options = json.dumps({"accelerator": "cpu", "deterministic": False})
    result, said = run(PREPARE, options, **machine)
    assert result.returncode == 0 and result.stdout == "CPU None float32\n" and not said
    result, said = run(PREPARE, "{}", CUDA_VISIBLE_DEVICES="")
    assert result.returncode == 0 and not said


def test_gpu_that_is_insisted_on_is_missed_in_one_line(machine: dict[str, str]) -> None:
    result, said = run(PREPARE, json.dumps({"accelerator": "cuda"}), **machine)
    assert result.returncode == 1 and len(said) == 1
    assert "'accelerator' is cuda, but TensorFlow can use no GPU (there is NVIDIA H200," in said[0]
    assert "make report GPU=1" in said[0] and "auto or cpu" in said[0]


@pytest.mark.parametrize(
    ("accelerator", "gpus", "count", "words"),
    [
        ("cuda", 0, 1, "(there is none on this machine)"),
        ("auto", 0, 2, "can use no GPUs; set 'devices' in config.yaml to 1, or 'accelerator' to cpu"),
        ("auto", 1, 2, "can use 1 GPU; set 'devices' in config.yaml to 1"),
        ("cuda", 2, 3, "can use 2 GPUs; set 'devices' in config.yaml to 2"),
    ],
)
def test_too_few_devices_are_told(
    accelerator: str, gpus: int, count: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "usable_gpus", lambda: gpus)
    monkeypatch.setattr(devices, "visible_gpus", list)
    with pytest.raises(DeepColorError) as error:
        make_distribution(accelerator, count)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("settings", "images", "words"),
    [
        ({"batch_size": 9}, {}, "'batch_size' must be a multiple of 2, not 9"),
        ({}, {"training": 21}, "the number of training images must be a multiple of 2, not 21"),
        ({}, {"validation": 5}, "the number of validation images must be a multiple of 2, not 5"),
        ({"gradient_accumulation_steps": 2}, {}, "cannot be accumulated on several devices"),
        ({"xla": True}, {}, "XLA compiles for one device"),
    ],
)
def test_training_that_cannot_be_shared_out_is_refused(
    settings: dict[str, int], images: dict[str, int], words: str
) -> None:
    good = {"batch_size": 8, "gradient_accumulation_steps": 1, "xla": False}
    right = good, {"training": 22, "validation": 6}
    given = {**right[0], **settings}, {**right[1], **images}
    Distribution().check_batches(*given)  # One device takes anything.
    Distribution(2).check_batches(*right)
    with pytest.raises(DeepColorError) as error:
        Distribution(2).check_batches(*given)
    assert words in str(error.value)


def test_gpus_that_are_hidden_are_not_seen(
    machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", machine["PATH"])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert devices.visible_gpus() == ["NVIDIA H200", "NVIDIA L4"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert devices.visible_gpus() == []


CPUS = {
    "Zen 3": ("flags\t\t: fpu fma avx avx2 sha_ni", False),
    "Cooper Lake": ("flags\t\t: fpu avx512f avx512_bf16 avx512_vnni", True),
    "Sapphire Rapids": ("flags\t\t: fpu avx512_fp16 amx_bf16 amx_tile", True),
    "Arm": ("Features\t: fp asimd bf16", False),
}


@pytest.mark.parametrize("cpu", CPUS)
def test_bfloat16_is_preferred_where_the_processor_has_it(
    cpu: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags, faster = CPUS[cpu]
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nmodel name\t: {cpu} bf16\n{flags}\n")
    monkeypatch.setattr(devices, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(devices, "device_name", lambda: "CPU")
    assert devices.prefers_bfloat16() == faster
    monkeypatch.setattr(devices, "CPUINFO", tmp_path / "none")  # As on macOS.
    assert not devices.prefers_bfloat16()


@pytest.mark.parametrize(("capability", "faster"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_bfloat16_is_preferred_on_gpus_since_ampere(
    capability: tuple[int, int], faster: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    details = {"compute_capability": capability}
    monkeypatch.setattr(devices, "device_name", lambda: "GPU")
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    assert devices.prefers_bfloat16() == faster


@pytest.mark.skipif(not shutil.which("lscpu"), reason="there is no lscpu")
def test_flags_are_those_that_lscpu_lists() -> None:
    listed = json.loads(subprocess.check_output(["lscpu", "--json"], env={**os.environ, "LC_ALL": "C"}))
    flags = {each["field"]: each["data"] for each in listed["lscpu"]}.get("Flags:", "")
    assert devices.cpu_flags() == set(flags.split())


def test_automatic_precision_is_the_faster_one(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(CPUS["Sapphire Rapids"][0])
    program = "import pathlib\nfrom deepcolor.compute import devices\n"
    program += f"devices.CPUINFO = pathlib.Path({str(cpuinfo)!r})\n" + PREPARE
    options = json.dumps({"precision": "auto", "accelerator": "cpu"})
    result, said = run(program, options)
    assert result.returncode == 0 and result.stdout == "CPU None mixed_bfloat16\n", said


def test_memory_is_the_machine_s_without_a_gpu(machine: dict[str, str]) -> None:
    assert devices.device_memory() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 2**27 < devices.peak_memory() < 2**40
