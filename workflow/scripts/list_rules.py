from pathlib import Path

from deepcolor import script
from deepcolor.files import write_json
from deepcolor.report.diagrams.rules import list_rules


def main(
    *,
    config: str,
    target: str,
    stages: script.Json[dict[str, str]],
    answered: script.YesOrNo,
    rules: Path,
) -> None:
    """List the rules of the workflow and which reads the files of which, as Snakemake knows them.

    Args:
        config: Complete configuration, JSON.
        target: Rule whose inputs are asked for.
        stages: Stage of every rule, in the order of the flow.
        answered: Whether there are answers to the user study.
        rules: JSON file to write.
    """
    content = list_rules(config, target, stages, answered == "yes")
    write_json(rules, content)
    print(f"list_rules: {len(content['rules'])} rules", flush=True)


if __name__ == "__main__":
    script.run(main)
