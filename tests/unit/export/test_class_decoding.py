"""Color classes are decoded again after training: in Keras, in an exported graph, by the command."""

import json
import re
import shlex
from pathlib import Path

import cv2
import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import yaml
from conftest import PROJECT
from deepcolor.cli import main
from deepcolor.colorize.loading import open_network
from deepcolor.colorize.network import Network
from deepcolor.config import configuration
from deepcolor.constants import DECODING
from deepcolor.errors import DeepColorError
from deepcolor.export import formats
from deepcolor.files import sha256
from deepcolor.imaging import color, color_classes, lab
from deepcolor.imaging.colorfulness import colorfulness
from deepcolor.models import heads, loading
from deepcolor.models.unet import unet
from support.sample_images import jpeg
from support.tiny_onnx import write_onnx

EXACT, VIVID = (0.8, 0.0, 1.1), (0.3, 0.5, 1.5)
SIZE = 64
LUMINANCE = np.random.default_rng(1).random((3, SIZE, SIZE, 1), np.float32)
SHARES = np.random.default_rng(2).dirichlet(np.full(color_classes.COUNT, 0.3)).astype(np.float32)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of a U-Net that predicts color classes, exported."""
    folder = tmp_path_factory.mktemp("runs") / "it_1"
    folder.mkdir()
    keras.utils.set_random_seed(3)
    network = unet(SIZE, filters=[4, 8, 8], target="classes")
    # As a trained network has them: gray ones are likely.
    bias = network.layers[-1].bias
    bias.assign(np.log(SHARES) - np.square(color_classes.CENTERS).sum(axis=-1) / 500)
    kernel = network.layers[-1].kernel
    kernel.assign(20 * kernel)
    decoding = heads.ClassDecoding(SHARES, EXACT, VIVID)
    heads.with_rgb_output(network, decoding).save(folder / "model.keras")
    (folder / "model_card.json").write_text(
        json.dumps({"run": "it_1", "model_sha256": sha256(folder / "model.keras")}), "utf-8"
    )
    (folder / "MODEL_CARD.md").write_text("# it_1\n", "utf-8")
    formats.export(
        loading.load_network(folder / "model.keras"),
        folder / "export",
        run="it_1",
        card=folder / "model_card.json",
        markdown=folder / "MODEL_CARD.md",
        checksum=sha256(folder / "model.keras"),
    )
    return folder


def expected(run: Path, temperature: float, prior: float, gain: float) -> np.ndarray:
    """RGB by way of plain NumPy, from the logits of the saved network."""
    network = loading.load_network(run / "model.keras")
    logits = keras.Model(network.input, network.get_layer("logits").output)(LUMINANCE, training=False)
    evidence = np.asarray(logits, np.float64) - prior * np.log(0.5 * SHARES + 0.5 / len(SHARES))
    powers = np.exp((evidence - evidence.max(axis=-1, keepdims=True)) / temperature)
    chroma = gain * powers / powers.sum(axis=-1, keepdims=True) @ color_classes.CENTERS
    # OpenCV enlarges with the same half-pixel centers.
    large = np.stack([cv2.resize(each, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR) for each in chroma])
    return np.asarray(color.add_chroma(LUMINANCE, large.astype(np.float32) / color.CHROMA_SCALE))


@pytest.mark.parametrize("settings", [EXACT, VIVID, (1.0, 1.0, 0.5)])
def test_exported_graph_takes_other_settings(run: Path, settings: tuple[float, float, float]) -> None:
    session = onnxruntime.InferenceSession(
        run / "export" / "model.onnx", providers=["CPUExecutionProvider"]
    )
    assert [each.name for each in session.get_inputs()] == ["luminance"]
    overridable = {each.name for each in session.get_overridable_initializers()}
    assert set(DECODING) <= overridable
    given = {name: np.array(value, np.float32) for name, value in zip(DECODING, settings, strict=True)}
    (rgb,) = session.run(None, {"luminance": LUMINANCE, **given})
    np.testing.assert_allclose(rgb, expected(run, *settings), rtol=0, atol=1e-4)
    if settings == EXACT:
        np.testing.assert_allclose(session.run(None, {"luminance": LUMINANCE})[0], rgb, atol=1e-6)


@pytest.mark.parametrize("file", ["model.keras", "export/model.onnx"])
def test_vividness_leads_from_exact_to_vivid(run: Path, file: str) -> None:
    network = open_network(run / file, 1)
    assert network.predict_vivid
    between = tuple((low + high) / 2 for low, high in zip(EXACT, VIVID, strict=True))
    for vividness, setting in ((1.0, VIVID), (0.5, between), (0.0, EXACT)):
        rgb = network.predict_vivid(LUMINANCE, vividness=vividness)
        np.testing.assert_allclose(rgb, expected(run, *setting), rtol=0, atol=1e-4)
    np.testing.assert_allclose(network.predict(LUMINANCE), expected(run, *EXACT), rtol=0, atol=1e-4)


def colorize(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> None:
    monkeypatch.setattr("sys.argv", ["deepcolor", "colorize", *map(str, arguments)])
    main.main()


def test_command_makes_pictures_more_vivid(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph = tmp_path / "a.jpg"
    photograph.write_bytes(jpeg(3))
    found = {}
    for name, vivid in (("exact", []), ("half", ["--vivid", "0.5"]), ("vivid", ["--vivid"])):
        output = tmp_path / name
        model = run / "export" / "model.onnx"
        colorize(monkeypatch, photograph, "--model", model, "--output", output, *vivid)
        (picture,) = output.glob("*.jpg")
        found[name] = colorfulness(np.asarray(cv2.imread(str(picture)))[..., ::-1])
    assert found["exact"] < found["half"] < found["vivid"]


def test_what_the_docs_show_works(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (PROJECT / "docs" / "color-classes.md").read_text("utf-8")
    blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))
    monkeypatch.chdir(tmp_path)
    Path("results").mkdir()
    Path("results/lite_30").symlink_to(run)
    Path("old-photographs").mkdir()
    Path("old-photographs/a.jpg").write_bytes(jpeg(3))
    monkeypatch.setattr("sys.argv", shlex.split(blocks["sh"]))
    main.main()
    assert Path("colorized/a.jpg").exists()
    names: dict[str, np.ndarray] = {}
    exec(blocks["python"], names)
    assert names["rgb"].shape == (1, SIZE, SIZE, 3)
    configuration.complete(yaml.safe_load(blocks["yaml"]))


def test_vividness_of_another_network_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph = tmp_path / "a.jpg"
    photograph.write_bytes(jpeg(3))
    model = write_onnx(tmp_path / "model.onnx")
    with pytest.raises(SystemExit, match="--vivid needs a network with 'target: classes'"):
        colorize(monkeypatch, photograph, "--model", model, "--output", tmp_path / "out", "--vivid")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "decoding", ["[[1], [2, 3]]", "[[0, 0], [1, 0]]", '{"a": 1}', "5", "[[NaN, 0], [1, 0]]"]
)
def test_broken_settings_end_in_one_line(run: Path, decoding: str, tmp_path: Path) -> None:
    graph = onnx.load(run / "export" / "model.onnx")
    onnx.helper.set_model_props(graph, {"deepcolor.decoding": decoding})
    onnx.save(graph, tmp_path / "model.onnx")
    with pytest.raises(DeepColorError, match=r"^--model .*/model\.onnx cannot be used \(.+\); name"):
        open_network(tmp_path / "model.onnx", 1)


def test_network_without_classes_has_no_vividness(tmp_path: Path) -> None:
    network: Network = open_network(write_onnx(tmp_path / "model.onnx"), 1)
    assert network.predict_vivid is None
    assert lab.to_8bit(network.predict(np.zeros((1, 32, 32, 1), np.float32))).shape == (1, 32, 32, 3)
