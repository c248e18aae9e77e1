from pathlib import Path

from deepcolor import script
from deepcolor.compute.startup import import_tensorflow


def main(
    *,
    indexes: list[Path],
    split: str,
    runs: list[str],
    predictions: list[Path],
    settings: script.Json[dict],
    seed: int,
    study: Path,
    pictures: Path,
) -> None:
    """Draw the photographs of a user study, and export its pictures and its design.

    Args:
        indexes: Indexes of the shards.
        split: Images that networks are evaluated on: validation or test.
        runs: Names of the runs whose pictures are judged.
        predictions: predictions.npy of each run, in the order of `--runs`.
        settings: Section `study` of config.yaml.
        seed: Random seed of the draw.
        study: JSON file of the design to write.
        pictures: Folder for the pictures.
    """
    import_tensorflow()  # Before `shards`, which imports it too.
    from deepcolor.data.shards import Shards
    from deepcolor.study.material import draw_study

    by_run = dict(zip(runs, predictions, strict=True))
    drawn = draw_study(Shards(indexes), split, by_run, settings, seed, study, pictures)
    print(
        f"draw_study: {settings['images']} photographs, {len(drawn['lists'])} lists, protocol "
        f"{drawn['protocol']}; pictures of {', '.join(runs)}",
        flush=True,
    )
    if not drawn["contact"]:
        print("draw_study: warning: study.contact is empty; nobody will know whom to ask", flush=True)


if __name__ == "__main__":
    script.run(main)
