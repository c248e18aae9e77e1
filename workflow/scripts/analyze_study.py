from pathlib import Path

from deepcolor import script
from deepcolor.files import write_json
from deepcolor.frames import write_frame
from deepcolor.study.analysis.acceptance import analyze, tabulate_images, tabulate_runs
from deepcolor.study.analysis.exclusion import exclude
from deepcolor.study.answers import read_answers


def main(
    *, answers: Path, rules: script.Json[dict], acceptance: Path, table: Path, images: Path
) -> None:
    """Analyze the answers to the user study.

    Args:
        answers: CSV file of the answers.
        rules: Rules of exclusion.
        acceptance: JSON file to write.
        table: CSV file to write, a row per run.
        images: CSV file to write, a row per image.
    """
    read = read_answers(answers)
    kept = exclude(read, rules)
    analysis = analyze(read, kept, str(answers))
    write_frame(table, tabulate_runs(analysis))
    write_frame(images, tabulate_images(kept.answers, simulated=analysis["simulated"] > 0))
    write_json(acceptance, analysis)
    people, simulated = analysis["people"], analysis["simulated"]
    marked = f"; {simulated:,} answers are SIMULATED" if simulated else ""
    print(
        f"analyze_study: protocol {analysis['protocol']}, {people['analyzed']:,} of "
        f"{people['begun']:,} people, {analysis['answers']:,} answers{marked}",
        flush=True,
    )


if __name__ == "__main__":
    script.run(main)
