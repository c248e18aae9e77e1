"""What jobs have loaded and read, held against what their rules declare (see workflow/notes)."""

import json
import os
import re
import shlex
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections import defaultdict
from pathlib import Path

# Opened though no rule declares them: photographs, which manifests name with their checksums; downloads;
# what must outlive a failed job: backups of trainings, rejected photographs, colorized pictures; locks;
# partial files; and Snakemake's own benchmarks.
BESIDE = re.compile(
    r"data[\w-]*/(cache/|[\w-]+/images/|[\w-]+/rejected\.csv)"
    r"|results[\w-]*/([\w-]+/(backup-|colorized/)|benchmarks/)|.*/\.(partial\.|lock$)"
)

# Prints the sources of scripts with modules, as the copy has them.
SOURCES = """
import json, sys
from deepcolor.config.dependencies import sources_of
print(json.dumps([sources_of(name, tuple(modules)) for name, modules in json.loads(sys.argv[1])]))
"""


def command_of(shellcmd: str) -> list[str]:
    """The words of a rule's command, from the script to where its output goes."""
    words = shlex.split(shellcmd.replace("\\\n", " "))
    return words[1 : words.index("2>&1")] if "2>&1" in words else words[1:]


def records(folder: Path) -> dict[tuple[str, ...], set[str]]:
    """What Snakemake has noted as declared: inputs and outputs of every job, by its command."""
    declared: dict[tuple[str, ...], set[str]] = defaultdict(set)
    metadata = folder / ".snakemake" / "metadata"
    for path in metadata.rglob("*"):
        if path.is_file():
            record = json.loads(path.read_text("utf-8"))
            if record["shellcmd"]:
                # The name of the file is that of the output; a long one is in parts.
                name = "".join(part.removeprefix("@") for part in path.relative_to(metadata).parts)
                output = urlsafe_b64decode(name).decode()
                declared[tuple(command_of(record["shellcmd"]))] |= {output, *record["input"]}
    return declared


def code_of(folder: Path, commands: list[tuple[str, ...]]) -> dict[tuple[str, ...], set[str]]:
    """The code that the commands of a copy depend on, by command, and what no edit of reruns them."""
    asked = [
        (Path(command[0]).stem, [w for w in command if re.fullmatch(r"deepcolor(\.\w+)+:\w+", w)])
        for command in commands
    ]
    done = subprocess.run(
        [sys.executable, "-c", SOURCES, json.dumps(asked)],
        env={**os.environ, "PYTHONPATH": str(folder / "workflow")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    left_out = {f"workflow/deepcolor/{name}.py" for name in ("__init__", "messages")}
    found = [left_out | set(each) for each in json.loads(done.stdout)]
    return dict(zip(commands, found, strict=True))


def check(folder: Path) -> set[str]:
    """Make sure that jobs have loaded and opened, in Python, nothing that they do not declare.

    Every job that Snakemake knows of must have been noted. What TensorFlow alone opens is not seen:
    shards are, as their checksums are looked at first.

    Returns:
        The scripts of the jobs.
    """
    declared = records(folder)
    noted = [json.loads(path.read_text("utf-8")) for path in (folder / "job-notes").iterdir()]
    commands = {tuple(job["command"]) for job in noted}
    unseen = {command[0] for command in declared.keys() - commands}
    assert not unseen, f"jobs without notes: {unseen}"
    sources = code_of(folder, list(commands))
    for job in noted:
        command = tuple(job["command"])
        if command not in declared:  # Made again since, with another command.
            continue
        code = sources[command]
        for name in job["modules"]:
            assert name in code, f"{command[0]} loads {name}, whose edits do not run it again"
        for name in job["read"]:
            above = {name, *map(str, Path(name).parents)}
            known = above & declared[command] or name in code or BESIDE.match(name)
            assert known, f"{command[0]} reads {name} and does not declare it"
    return {Path(command[0]).stem for command in declared}
