from pathlib import Path

from deepcolor import script
from deepcolor.compute import backend
from deepcolor.files import alone_in
from deepcolor.progress import JobOutput


def main(
    *,
    run: str,
    model_name: str,
    architecture: str,
    training: script.Json[dict],
    image_size: int,
    train_on: list[str],
    indexes: list[Path],
    epochs: int,
    seed: int,
    threads: int,
    model: Path,
    history: Path,
    record: Path,
    state: Path,
    options: script.Json[dict | None] = None,
    start: script.AtMostOne[Path] = (),
    restart_reason: script.AtMostOne[str] = (),
    accelerator: backend.Accelerator = "auto",
    devices: int = 1,
    scratch: script.YesOrNo = "no",
    code: str = "",
) -> None:
    """Train a network up to a number of epochs.

    Args:
        run: Name of the run.
        model_name: Name of the model that it is a run of.
        architecture: "module:function" that builds the network.
        training: Settings of the training: section `training` of config.yaml for this model.
        image_size: Side of the images in pixels.
        train_on: Names of the data sets.
        indexes: Indexes of their shards.
        epochs: Number of epochs after which to stop.
        seed: Random seed of the initial weights, the order of the images and dropout.
        threads: CPU threads.
        model: `.keras` file to write.
        history: CSV file to write, a row per epoch.
        record: JSON file to write: settings, cost and outcome.
        state: `.safetensors` file to write, from which a longer run resumes.
        options: Options of the network.
        start: State of a shorter run to resume from.
        restart_reason: Reason not to resume from a shorter run.
        accelerator: Device to train on.
        devices: Number of devices to spread each batch over.
        scratch: Whether shards are copied below TMPDIR and read there.
        code: Digest of the code, for the backup's name.
    """
    # A training that has outlived its Snakemake would delete the backup of this one.
    with (
        alone_in(state.parent),
        script.scratch_folder(scratch) as folder,
        JobOutput(f"train_model {run}") as output,
    ):
        distribution = backend.prepare_keras(
            threads,
            accelerator=accelerator,
            devices=devices,
            deterministic=training["deterministic"],
            precision=training["precision"],
            tf32=training["tf32"],
        )
        from deepcolor.training.reporting import Report
        from deepcolor.training.session import Outputs, Run, train_run
        from deepcolor.training.settings import Settings

        train_run(
            Run(
                name=run,
                model=model_name,
                settings=Settings(architecture, options or {}, image_size, training),
                train_on=train_on,
                indexes=indexes,
                epochs=epochs,
                seed=seed,
                start=start[0] if start else None,
                restart_reason=restart_reason[0] if restart_reason else "",
                code=code,
            ),
            Outputs(model, history, record, state),
            distribution,
            threads=threads,
            scratch=folder,
            report=Report(output.line, output.status),
        )


if __name__ == "__main__":
    script.run(main)
