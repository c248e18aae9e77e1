"""Remove the results, the data and Snakemake's notes, for `make clean`.

Kept are people's answers to the study, the downloads in data/cache, folders that a configuration names
elsewhere, and everything that the pipeline has not made. Standard library only.
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

# What the pipeline makes in results/ besides folders of runs, and in results/study.
RESULTS = {
    *("report.html", "summary.json", "summary.md", "samples.npz", "extremes.npz", "rules.json", "study"),
    *("baselines", "figures", "tables", "logs", "benchmarks", "checks", "inputs"),
}
STUDY = {"study.json", "pictures", "acceptance.json"}
# Files that show that a folder is a run's, a data set's or one of shards.
OF_RUN = (
    "model.keras",
    "history.csv",
    "metrics.json",
    "per_image.csv",
    "predictions.npy",
    "backup-*",
    "colorized",
)
OF_DATA_SET = ("manifest.csv", "data_set.json", "ranges", "*/index.json", "*/*.tfrecord")
HIDDEN = (".partial.", ".lock")


def main() -> int:
    """Remove, and return the exit code."""
    results, data = Path("results"), Path("data")
    lines = [
        *clean(results / "study", _is_answer, lambda path: path.name in STUDY),
        *clean(results, lambda path: path.name in ("README.md", "study"), _is_result),
        *clean(data, lambda path: path.name == "cache", lambda path: _holds(path, OF_DATA_SET)),
        *remove(Path(".snakemake")),
    ]
    study = results / "study"
    if study.is_dir() and not study.is_symlink() and not any(study.iterdir()):
        study.rmdir()
    for line in lines:
        print(line)
    return 1 if any(line.startswith("Error: ") for line in lines) else 0


def clean(folder: Path, keep: Callable[[Path], bool], made: Callable[[Path], bool]) -> list[str]:
    """Remove the content of a folder.

    A link may lead to a folder that serves other purposes too: where it holds anything that the pipeline
    does not make, all of it is kept.

    Args:
        folder: Path; there may be none.
        keep: Whether a path in it is kept.
        made: Whether a path in it is of a kind that the pipeline makes.

    Returns:
        Lines about what is not removed.
    """
    if not folder.exists():
        return [f"{folder} is a link to nothing; nothing removed"] if folder.is_symlink() else []
    content = sorted(folder.iterdir())
    outside = not folder.resolve().is_relative_to(Path.cwd().resolve())
    foreign = [
        path.name for path in content if not (keep(path) or made(path) or path.name.startswith(HIDDEN))
    ]
    if outside and foreign:
        return [
            f"{folder} leads to {folder.resolve()}, which also holds {foreign[0]}: nothing removed "
            "there; move it away, or delete the rest by hand"
        ]
    return [line for path in content if not keep(path) for line in remove(path)]


def remove(path: Path) -> list[str]:
    """Remove a file, a folder or a link, not what it leads to; return lines about what is left."""
    try:
        if path.is_symlink():
            target = os.readlink(path)
            path.unlink()
            return [f"{path} was a link, which is removed; {target} is kept"]
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
    except OSError as error:
        return [f"Error: {error.filename}: {error.strerror}; not removed"]
    return []


def _is_answer(path: Path) -> bool:
    """Whether a file holds people's answers: exported, or a database, its log or a rescued copy."""
    return path.name.startswith("answers.") or ".sqlite" in path.name


def _is_result(path: Path) -> bool:
    """Return whether a path is a run's folder, or has a known name and lies next to our logs."""
    logs = path.parent / "logs"
    ours = any(Path(__file__).with_name(f"{rule.name}.py").exists() for rule in logs.glob("*"))
    return (ours and path.name in RESULTS) or _holds(path, OF_RUN)


def _holds(path: Path, patterns: tuple[str, ...]) -> bool:
    """Whether a path is a folder that holds files of such names, or nothing yet."""
    if not path.is_dir():
        return False
    return not any(path.iterdir()) or any(any(path.glob(pattern)) for pattern in patterns)


if __name__ == "__main__":
    sys.exit(main())
