"""Two phases: an encoder is frozen at first, then some of it is trained; resuming is exact across both."""

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
from deepcolor.training import loop, phases
from deepcolor.training.history import COLUMNS, History, best_epoch
from deepcolor.training.reporting import Report
from deepcolor.training.trainer import Trainer, compile_trainer
from safetensors.numpy import load_file

FIRST = "conv_dw_9"  # Of the layers that are trained in the second phase.
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
    "settings",
    [{}, {"ema_momentum": 0.9}, {"schedule": "constant"}],
    ids=["cosine", "average", "constant"],
)
@pytest.mark.parametrize("interrupted", [1, 2, 3])
def test_resuming_is_exact_across_the_change_of_phase(
    interrupted: int, settings: dict[str, Any], tmp_path: Path
) -> None:
    if settings and interrupted != 2:
        pytest.skip("the change of phase is what matters")

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
    assert {"decoder1_conv", "conv_dw_9", "conv_pw_11"} <= second
    trained = second & encoder
    # No normalization of the encoder changes, nor what comes before the first trained layer.
    assert not [name for name in trained if name.endswith("_bn")]
    assert not trained & {"conv1", "conv_pw_5", "conv_dw_8", "conv_pw_8"}
    # Each phase has its own rate, which falls to 0 at its end.
    assert [row["learning_rate"] for row in history] == pytest.approx([0.005, 0, 0.002, 0], abs=1e-8)


def test_best_epoch_of_an_earlier_phase_is_restored(tmp_path: Path) -> None:
    model = network()
    settings = {"early_stopping": 4, "schedule": "constant", "unfrozen_learning_rate": 3.0}
    history = fit(model, tmp_path / "b.safetensors", **settings)
    best = best_epoch(history)
    assert best <= 2 and len(history) == EPOCHS
    trainer = compile_trainer(model, SETTINGS, class_shares=SHARES)
    loss = trainer.evaluate(PICTURES[:4], PICTURES[:4], verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(history[best - 1]["val_loss"], rel=1e-5)


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
    with pytest.raises(DeepColorError, match=r"no layer 'conv_dw_66'; did you mean 'conv_dw_6'\?"):
        phases.phases_of(network(), {**SETTINGS, "unfreeze_from": "conv_dw_66"}, EPOCHS)


def test_network_without_an_encoder_is_refused() -> None:
    with pytest.raises(DeepColorError, match="need a network with a pre-trained encoder"):
        phases.phases_of(unet(32, filters=[4, 8]), SETTINGS, EPOCHS)
