import time
from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend
from deepcolor.files import write_json


def main(
    *,
    model: str,
    architecture: str,
    training: script.Json[dict],
    image_size: int,
    threads: int,
    findings: Path,
    options: script.Json[dict | None] = None,
    accelerator: backend.Accelerator = "auto",
    devices: int = 1,
) -> None:
    """Try whether a network can be trained here, and how fast: a few steps on random images.

    Args:
        model: Name of the model.
        architecture: "module:function" that builds the network.
        training: Settings of the training: section `training` of config.yaml for this model.
        image_size: Side of the images in pixels.
        threads: CPU threads.
        findings: JSON file to write.
        options: Options of the network.
        accelerator: Device to train on.
        devices: Number of devices to spread each batch over.
    """
    began = time.perf_counter()
    distribution = backend.prepare_keras(
        threads,
        accelerator=accelerator,
        devices=devices,
        deterministic=training["deterministic"],
        precision=training["precision"],
        tf32=training["tf32"],
    )
    from deepcolor.training.settings import Settings
    from deepcolor.training.trial import try_model

    settings = Settings(architecture, options or {}, image_size, training)
    write_json(findings, try_model(model, settings, distribution, began))


if __name__ == "__main__":
    script.run(main)
