"""The README: every command in it runs."""

import re

import pytest
import yaml
from conftest import PROJECT, Copy
from support.readme import COMMANDS, README

# `make test` is what runs this; `make report` runs first, by the fixture; presets, the user study, one's
# own photographs, benchmarks and clusters have tests of their own.
ELSEWHERE = re.compile(
    r"make (test|report|clean|bench)|mine\.yaml|presets/|PRESET=|study|acceptance|coloriz|--client"
)
HERE = [command for command in COMMANDS if not ELSEWHERE.search(command)]


@pytest.mark.parametrize("command", HERE)
def test_command_runs(finished: Copy, command: str) -> None:
    result = finished.run(command.replace("unet_30", "unet_2"))
    assert result.returncode == 0, result.stdout


def test_the_two_commands_are_there() -> None:
    assert {"make report", "make test"} <= set(COMMANDS)


def test_tables_name_every_key_and_option() -> None:
    schema = yaml.safe_load((PROJECT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))
    keys = set(schema["properties"]) | set(schema["$defs"]["training"]["properties"])
    for part in ("models", "data_sets"):
        keys |= set(schema["properties"][part]["additionalProperties"]["properties"])
    for key in keys:
        assert f"`{key}" in README or f".{key}`" in README, key


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (PROJECT / target).exists(), target
