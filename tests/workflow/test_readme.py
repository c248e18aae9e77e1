"""The README: every command in it runs."""

import re
import shutil

import pytest
import yaml
from conftest import PROJECT, Copy

README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]


def block(beginning: str) -> str:
    """The code block that begins so."""
    return next(text for _, text in BLOCKS if text.startswith(beginning))


def test_commands_are_found() -> None:
    assert COMMANDS[:2] == ["make report", "make test"]
    assert len(COMMANDS) == len(set(COMMANDS)) == 34


# `make test` is what runs this; `make report` runs first, by the fixture; presets, the user study
# and one's own photographs have tests of their own.
ELSEWHERE = re.compile(r"mine\.yaml|make clean|PRESET=|presets/|study|acceptance|coloriz")


@pytest.mark.parametrize("command", [each for each in COMMANDS[2:] if not ELSEWHERE.search(each)])
def test_command_runs(finished: Copy, command: str) -> None:
    result = finished.run(command.replace("unet_30", "unet_2"), QUICK="1")  # Of `make bench`, a part.
    assert result.returncode == 0, result.stdout


def test_own_photographs_and_own_architecture(copy: Copy) -> None:
    """The recipes, as they are printed but for the number of pictures and epochs."""
    shutil.copytree(PROJECT / "docs", copy.folder / "photographs")
    result = copy.run("snakemake --cores 2 data/photographs/manifest.csv")
    assert result.returncode == 0, result.stdout
    shutil.copytree(copy.folder / "data/photographs/images", copy.folder / "photographs/nested")
    mine = block("results: results-mine")
    copy.write("mine.yaml", mine.replace("4000", "12").replace("1000", "4"))
    copy.write("workflow/deepcolor/models/mynet.py", block("import keras"))
    registry = copy.read("workflow/deepcolor/registry.py")
    line = re.search(r'`("mynet": .*?,)`', README)
    assert line
    head = "ARCHITECTURES = {"
    copy.write("workflow/deepcolor/registry.py", registry.replace(head, f"{head}\n    {line[1]}"))
    config = yaml.safe_load(copy.read("config.yaml"))
    entry = re.search(r"`(mynet: {.*?})`", README)
    ablation = re.search(r"`(unet-noskip: {.*?})`", README, flags=re.DOTALL)
    assert entry and ablation
    config["training"]["epochs"] = [1]
    own = {**yaml.safe_load(entry[1]), **yaml.safe_load(ablation[1].replace("\n", " "))}
    config["models"].update(own)
    config["compare"] = {"models": list(own)}
    copy.write("config.yaml", yaml.safe_dump(config))
    command = next(each for each in COMMANDS if "mine.yaml" in each)
    result = copy.run(command)
    assert result.returncode == 0, result.stdout
    page = copy.read("results-mine/report.html")
    assert "mynet, 1 epoch" in page and "unet-noskip, 1 epoch" in page
    assert copy.run("make clean").returncode == 0
    assert [path.name for path in (copy.folder / "results").iterdir()] == ["README.md"]
    assert (copy.folder / "results-mine").exists()


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
