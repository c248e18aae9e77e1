"""What users have set for themselves elsewhere changes neither results nor figures."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import matplotlib
import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT
from deepcolor.compute import keras_settings
from deepcolor.config import environment
from deepcolor.errors import DeepColorError
from deepcolor.models import loading
from deepcolor.models.unet import unet
from deepcolor.report import figures, provenance

OTHER_KERAS = {
    "floatx": "float16",
    "epsilon": 0.1,
    "backend": "jax",
    "image_data_format": "channels_first",
}
OTHER_NUMBERS = {
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "KERAS_MAX_EPOCHS": "1",
    "KERAS_MAX_STEPS_PER_EPOCH": "1",
    "JAX_ENABLE_X64": "1",
    "KERAS_BACKEND": "",
}
# Builds a network, trains it for some steps and prints what it then predicts.
TRAIN = """
import hashlib, sys
sys.path.insert(0, "workflow")
from deepcolor.compute import backend
backend.prepare_keras(1, accelerator="cpu")
import keras, numpy
from deepcolor.models.unet import unet
keras.utils.set_random_seed(0)
model = unet(32, filters=(4, 8), dropout=0.0)
model.compile("adam", "mse")
luminance = numpy.random.default_rng(0).random((24, 32, 32, 1), numpy.float32)
model.fit(luminance, numpy.repeat(luminance, 3, axis=-1) ** 2, 4, epochs=2, shuffle=False, verbose=0)
print(hashlib.sha256(model.predict(luminance, verbose=0).tobytes()).hexdigest(), model.output_shape)
"""


def run(*command: str, **environment: str) -> str:
    """Run a command in the project's folder and return what it prints."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def write_keras_json(folder: Path, content: str) -> dict[str, str]:
    """Write a keras.json, and return the environment in which Keras reads it."""
    folder.mkdir()
    (folder / "keras.json").write_text(content)
    return {"KERAS_HOME": str(folder)}


@pytest.mark.slow
def test_training_and_prediction_do_not_depend_on_a_users_settings(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    plain = run("-c", TRAIN, KERAS_HOME=str(tmp_path / "plain"))
    other = write_keras_json(tmp_path / "other", json.dumps(OTHER_KERAS))
    assert run("-c", TRAIN, **other, **OTHER_NUMBERS) == plain


@pytest.mark.parametrize("content", ['{"floatx": "float8"}', '{"epsilon": 1}', "[]"])
def test_broken_keras_json_is_named(tmp_path: Path, content: str) -> None:
    script = "from deepcolor.compute import keras_settings as settings\nsettings.set_environment()\n"
    script += "try: settings.load()\nexcept Exception as error: print(type(error).__name__, error)\n"
    environment = write_keras_json(tmp_path / "home", content)
    printed = run("-c", script, PYTHONPATH=str(PROJECT / "workflow"), **environment)
    assert printed.startswith("DeepColorError keras.json in ~/.keras or $KERAS_HOME is broken (")
    assert printed.count("\n") == 1


@pytest.fixture
def channels_first() -> Iterator[None]:
    """Set Keras as some users have it, without the set-up of jobs."""
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@pytest.mark.usefixtures("channels_first")
def test_networks_are_not_built_or_loaded_under_other_settings_of_keras(tmp_path: Path) -> None:
    message = r"image_data_format is channels_first, .*set_image_data_format\('channels_last'\)"
    with pytest.raises(DeepColorError, match=message):
        unet(32, filters=(4, 8))
    with pytest.raises(DeepColorError, match=message):
        loading.load_network(tmp_path / "model.keras")
    keras_settings.apply()
    assert unet(32, filters=(4, 8)).output_shape == (None, 32, 32, 3)


def draw(folder: Path) -> list[bytes]:
    """Draw a figure as SVG and one as PNG, and return their contents."""
    names = [f"{split}{name}" for name in figures.CURVES for split in ("", "val_")]
    history = pd.DataFrame({"epoch": [1, 2], **dict.fromkeys(names, [0.2, 0.1])})
    figures.plot_curves(history, [1, 2], folder / "curves.svg")
    pictures = np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3)
    figures.plot_grid([("A title", pictures, ["$x$"])], folder / "grid.png")
    return [(folder / name).read_bytes() for name in ("curves.svg", "grid.png")]


@pytest.mark.parametrize(
    "setting",
    [
        {"text.usetex": True},
        {
            "font.size": 20.0,
            "lines.linewidth": 5.0,
            "axes.facecolor": "black",
            "figure.dpi": 30.0,
            "savefig.dpi": 30.0,
            "savefig.bbox": "tight",
            "savefig.transparent": True,
            "svg.fonttype": "none",
        },
    ],
)
def test_figures_do_not_depend_on_a_matplotlibrc(tmp_path: Path, setting: dict[str, object]) -> None:
    plain = draw(tmp_path)
    with matplotlib.rc_context(setting):  # type: ignore[arg-type]
        assert draw(tmp_path) == plain
        # Nor does drawing change what else the program has set.
        assert {name: matplotlib.rcParams[name] for name in setting} == setting  # type: ignore[index]


def test_scripts_draw_where_the_backend_of_a_notebook_is_not_installed(tmp_path: Path) -> None:
    history = tmp_path / "history.csv"
    history.write_text("epoch,loss,val_loss,psnr,val_psnr,accuracy,val_accuracy\n1,1,1,1,1,1,1\n")
    figure = tmp_path / "curves.svg"
    names = ("--history", str(history), "--milestones", "1", "--figure", str(figure))
    run("workflow/scripts/plot_curves.py", *names, MPLBACKEND="module://no_such_package.backend")
    assert figure.read_text("utf-8").count("<svg") == 1


def test_jobs_print_text_in_any_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "ascii",
        "PYTHONOPTIMIZE": "2",
        "PYTHONWARNINGS": "error",
        "PYTHONINSPECT": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MATPLOTLIBRC", "mine")
    monkeypatch.setenv("MPLBACKEND", "none such")
    environment.isolate_jobs()
    script = "import matplotlib, warnings; warnings.warn('x'); assert __debug__; print('80×80 → Å')"
    assert run("-c", script) == "80×80 → Å\n"


def test_commit_is_that_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path / "mine"], check=True)
    subprocess.run(["git", "init", "--quiet", tmp_path / "other"], check=True)
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for name in ("mine", "other"):
        command = ["commit", "--quiet", "--allow-empty", "--message", name]
        subprocess.run(["git", "-C", tmp_path / name, *author, *command], check=True)
    expected = provenance.commit(tmp_path / "mine")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert provenance.commit(tmp_path / "mine") == expected
