"""Configuration files and `--config` as Snakemake passes them on."""

import re

import yaml
from conftest import PROJECT, Copy


def test_broken_configuration_is_named_before_snakemake_reads_it(copy: Copy) -> None:
    (copy.folder / "config.yaml").write_bytes("title: é\n".encode("latin-1"))
    result = copy.run("snakemake --cores 2 --dry-run")
    assert result.returncode == 1
    assert result.stdout == "Error: config.yaml: not UTF-8; save it as plain text in UTF-8\n"


def test_nested_values_of_the_command_line_are_read_like_those_of_a_file(copy: Copy) -> None:
    values = "'training={epochs: [3], learning_rate: 0.002, xla: false}' results=made//here/"
    target = "made/here/unet_3/model.keras"
    command = "snakemake --cores 2 --dry-run --printshellcmds"
    result = copy.run(f"{command} {target} --config {values}")
    assert result.returncode == 0, result.stdout
    assert '"learning_rate": 0.002' in result.stdout and '"xla": false' in result.stdout


def test_the_workflow_catalog_shows_what_there_is(copy: Copy) -> None:
    usage = yaml.safe_load((PROJECT / ".snakemake-workflow-catalog.yml").read_text("utf-8"))["usage"]
    rules = "".join(path.read_text("utf-8") for path in (PROJECT / "rules").glob("*.smk"))
    container = bool(re.search(r"\bcontainer(?:ized)?:", rules))
    assert usage["software-stack-deployment"] == {
        "conda": "conda:" in rules,
        "apptainer": container,
        "apptainer+conda": container,
        "report": "report(" in rules,
    }
    flags = usage["mandatory-flags"]
    command, overlay = re.findall("`(.*?)`", flags["desc"])
    assert (PROJECT / overlay.removeprefix("--configfile ")).is_file()
    assert copy.run(f"{command} {flags['flags']} --dry-run").returncode == 0
