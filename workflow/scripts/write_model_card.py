from pathlib import Path

from deepcolor import script
from deepcolor.report.model_card import CardInputs, write_model_card


def main(
    *,
    run: str,
    record: Path,
    model: Path,
    split: str,
    metrics: list[Path],
    scores: list[Path],
    about: list[Path],
    manifests: list[Path],
    json: Path,
    markdown: Path,
) -> None:
    """Write the model card of a run: training data, metrics and limits.

    Args:
        run: Name of the run, for messages.
        record: training.json of the run.
        model: `.keras` file of the run.
        split: Images that networks are evaluated on: validation or test.
        metrics: metrics.json of the run and of baselines.
        scores: per_image.csv of the run and of baselines.
        about: data_set.json of each data set.
        manifests: Manifest of each data set.
        json: JSON file to write.
        markdown: Markdown file to write.
    """
    inputs = CardInputs(
        record=record,
        model=model,
        metrics={file.parent.name: file for file in metrics},
        scores={file.parent.name: file for file in scores},
        about=about,
        manifests=manifests,
        split=split,
    )
    write_model_card(json, markdown, inputs)
    print(f"write_model_card {run}: {markdown}, {json.name}", flush=True)


if __name__ == "__main__":
    script.run(main)
