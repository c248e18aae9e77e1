"""Two phases: an encoder is frozen at first, then some of it is trained; resuming is exact."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from deepcolor.compute.distribution import Distribution
from deepcolor.data import arrays
from deepcolor.errors import DeepColorError
from deepcolor.models.encoder import encoder_layers
from deepcolor.models.lite import lite
from deepcolor.models.unet import unet
from deepcolor.training import checkpoint, loop, phases
from deepcolor.training.history import COLUMNS, History
from deepcolor.training.reporting import Report
from deepcolor.training.trainer import Trainer, compile_trainer
from safetensors.numpy import load_file

FIRST = "block4b_expand_conv"  # Of the layers that are trained in the second phase.
SETTINGS: dict[str, Any] = {
    "optimizer": "adamw", "learning_rate": 0.01, "schedule": "cosine", "warmup_epochs": 0,
    "loss": "mse", "class_rebalancing": 0.5, "gradient_accumulation_steps": 1, "ema_momentum": 0,
    "early_stopping": 0, "batch_size": 4, "xla": False, "augmentation": ["flip", {"gray_mix": 0.5}],
    "freeze_epochs": 2, "unfreeze_from": FIRST, "unfrozen_learning_rate": 0.004,
}  # fmt: skip
EPOCHS, STEPS = 4, 2
PICTURES = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
SHARES = np.random.default_rng(1).dirichlet(np.ones(162)).astype(np.float32)
TIMES = ("seconds", "images_per_second", "val_images_per_second")


def network() -> keras.Model:
    keras.utils.set_random_seed(2)
    return lite(32, weights="none", filters=[8, 8, 8])


def phased(network: keras.Model, settings: Mapping[str, Any]) -> phases.PhasedModel:
    def compiled(phase: phases.Phase) -> Trainer:
        phase.freeze(network)
        return compile_trainer(
            network,
            {**settings, "learning_rate": phase.learning_rate},
            epochs=len(phase.epochs),
            steps=STEPS,
            class_shares=SHARES,
        )

    return phases.PhasedModel(phases.phases_of(network, settings, EPOCHS), compiled)


def fit(
    network: keras.Model,
    backup: Path,
    report: Callable[[str], None] = lambda line: None,
    **settings: Any,
) -> History:
    settings = {**SETTINGS, **settings}
    return loop.train(
        phased(network, settings).at,
        loop.Data(
            lambda which: arrays.training_batches(PICTURES, 4, seed=3, epochs=which),
            (PICTURES[:4], PICTURES[:4]),
            images={"training": len(PICTURES), "validation": 4},
            steps=STEPS,
        ),
        settings,
        loop.Plan(EPOCHS, seed=3, backup=backup),
        Distribution(),
        Report(report),
    )


def weights(network: keras.Model) -> dict[str, np.ndarray]:
    return {variable.path: np.array(variable) for variable in network.weights}


def changed(before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]) -> set[str]:
    """The layers whose weights differ."""
    return {path.split("/")[0] for path in before if not np.array_equal(before[path], after[path])}


@pytest.mark.parametrize(
    ("interrupted", "settings"),
    [
        (2, {"ema_momentum": 0.9}),
        *(
            pytest.param(interrupted, settings, marks=pytest.mark.slow)
            for interrupted, settings in ((1, {}), (2, {"schedule": "constant"}), (3, {}))
        ),
    ],
)
def test_resuming_is_exact_across_the_change_of_phase(
    interrupted: int, settings: dict[str, Any], tmp_path: Path
) -> None:
    def interrupt(line: str) -> None:
        if line.startswith(f"Epoch {interrupted}/"):
            raise KeyboardInterrupt

    whole, parts = network(), network()
    history = fit(whole, tmp_path / "whole.safetensors", **settings)
    with pytest.raises(KeyboardInterrupt):
        fit(parts, tmp_path / "parts.safetensors", interrupt, **settings)
    again = network()
    resumed = fit(again, tmp_path / "parts.safetensors", **settings)
    kept = [column for column in COLUMNS if column not in TIMES]
    assert [[row[key] for key in kept] for row in resumed] == [
        [row[key] for key in kept] for row in history
    ]
    assert not changed(weights(whole), weights(again))
    ours, theirs = (load_file(tmp_path / f"{name}.safetensors") for name in ("parts", "whole"))
    assert {name: array.tobytes() for name, array in ours.items()} == {
        name: array.tobytes() for name, array in theirs.items()
    }


def test_each_phase_trains_its_layers_alone(tmp_path: Path) -> None:
    model = network()
    states = [weights(model)]

    def look(line: str) -> None:
        states.append(weights(model))

    history = fit(model, tmp_path / "b.safetensors", look)
    encoder = {layer.name for layer in encoder_layers(model)}
    first, second = changed(states[0], states[2]), changed(states[2], states[4])
    assert first and not first & encoder
    assert {"decoder1_conv", FIRST, "block5c_project_conv"} <= second
    trained = second & encoder
    # No normalization of the encoder changes, nor what comes before the first trained layer.
    assert not [name for name in trained if name.endswith("_bn")]
    assert not trained & {"stem_conv", "block3b_project_conv", "block4a_project_conv"}
    # Each phase has its own rate, which falls to 0 at its end.
    assert [row["learning_rate"] for row in history] == pytest.approx([0.005, 0, 0.002, 0], abs=1e-8)


def test_best_epoch_of_an_earlier_phase_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (loop, checkpoint):
        monkeypatch.setattr(module, "best_epoch", lambda history: 1)
    model = network()
    history = fit(model, tmp_path / "b.safetensors", early_stopping=9)
    assert len(history) == EPOCHS
    trainer = compile_trainer(model, SETTINGS, class_shares=SHARES)
    loss = trainer.evaluate(PICTURES[:4], PICTURES[:4], verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(history[0]["val_loss"], rel=1e-5)


@pytest.mark.parametrize(
    ("frozen", "first", "expected"),
    [
        (0, None, [(range(4), 0.01)]),
        (2, None, [(range(2), 0.01), (range(2, 4), 0.004)]),
        (0, FIRST, [(range(4), 0.004)]),
        (4, FIRST, [(range(4), 0.01)]),
        (9, FIRST, [(range(4), 0.01)]),
    ],
)
def test_phases(frozen: int, first: str | None, expected: list[tuple[range, float]]) -> None:
    settings = {**SETTINGS, "freeze_epochs": frozen, "unfreeze_from": first}
    found = phases.phases_of(network(), settings, EPOCHS)
    assert [(phase.epochs, phase.learning_rate) for phase in found] == expected


def test_unknown_layer_is_named() -> None:
    with pytest.raises(DeepColorError, match=f"no layer '{FIRST}s'; did you mean '{FIRST}'"):
        phases.phases_of(network(), {**SETTINGS, "unfreeze_from": f"{FIRST}s"}, EPOCHS)


def test_network_without_an_encoder_is_refused() -> None:
    with pytest.raises(DeepColorError, match="need a network with a pre-trained encoder"):
        phases.phases_of(unet(32, filters=[4, 8]), SETTINGS, EPOCHS)
