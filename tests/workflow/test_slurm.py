"""A whole run on a cluster: a real Slurm of one node, whose trainings are killed on the way."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.demands import uses
from conftest import Copy
from support.slurm_node import one_node, slurm

pytestmark = pytest.mark.slow

# What a cluster of one idle node without accounting needs besides: it answers at once.
QUICK = (
    "--slurm-status-command squeue --slurm-init-seconds-before-status-checks 1 "
    "--seconds-between-status-checks 1 --latency-wait 5"
)
COMMAND = f"snakemake --configfile overlay.yaml --workflow-profile workflow/profiles/slurm {QUICK}"
RUNS = ("unet_2", "unet_80", "unet-lab_1")
OVERLAY = """
threads: 2
scratch: true
compare: {models: [unet, unet-lab]}
models:
  unet: {training: {epochs: [2, 80]}}
  unet-lab: {training: {seeds: [0]}}
"""


@pytest.fixture
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="envs/slurm.txt is not installed")
    with one_node(tmp_path_factory.mktemp("slurm"), cpus=4) as environment:
        yield environment


def start(copy: Copy, node: dict[str, str], targets: str) -> subprocess.Popen[bytes]:
    """Start Snakemake with the profile; what it says goes to driver.log."""
    with (copy.folder / "driver.log").open("wb") as said:
        return subprocess.Popen(
            ["bash", "-c", f"exec {COMMAND} {targets}"],
            cwd=copy.folder,
            env={
                **os.environ,
                **node,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{node['PATH']}",
            },
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )


def await_line(log: Path, pattern: str, process: subprocess.Popen[bytes]) -> str:
    """Wait until a log says something."""
    for _ in range(3000):
        if log.exists() and (found := re.search(pattern, log.read_text(encoding="utf-8"))):
            return found[0]
        assert process.poll() is None, "the run has ended"
        time.sleep(0.1)
    raise AssertionError(f"{log} never says {pattern}")


def jobs(node: dict[str, str], comment: str) -> list[dict[str, str]]:
    """What Slurm knows of the jobs whose comment begins so, in the order of their numbers."""
    text = slurm(node, "scontrol", "--oneliner", "show", "jobs")
    found = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in text.splitlines()]
    found = [job for job in found if job.get("Comment", "").startswith(comment)]
    return sorted(found, key=lambda job: int(job["JobId"]))


def test_a_run_whose_trainings_are_killed_gives_the_same(copy: Copy, node: dict[str, str]) -> None:
    copy.write("overlay.yaml", OVERLAY)
    log = copy.folder / "results/logs/train_model/unet_80.log"
    training = "rule_train_model_wildcards_unet_80"
    process = start(copy, node, "all")
    try:
        # As the time limit would, or whoever has the right to.
        await_line(log, r"Epoch 9/80", process)
        slurm(node, "scancel", jobs(node, training)[0]["JobId"])
        first = await_line(log, r"resuming after epoch (?:9|1\d|2\d)", process)
        # As when it is preempted: Slurm starts the same job again, but for the wait.
        await_line(log, r"Epoch [34]\d/80", process)
        again = jobs(node, training)[1]["JobId"]
        slurm(node, "scontrol", "requeue", again)
        time.sleep(3)
        slurm(node, "scontrol", "update", f"JobId={again}", "StartTime=now")
        second = await_line(log, r"resuming after epoch [3-7]\d", process)
        assert process.wait(timeout=900) == 0, copy.read("driver.log")[-5000:]
    finally:
        process.kill()
    assert 9 <= int(first.split()[-1]) < int(second.split()[-1])
    assert (copy.folder / "results/report.html").exists()

    # One GPU each, side by side.
    short, long, lab = (jobs(node, f"rule_train_model_wildcards_{run}")[0] for run in RUNS)
    assert {each["TresPerJob"] for each in (short, long, lab)} == {"gres:gpu:1"}
    assert short["StartTime"] < lab["EndTime"] and lab["StartTime"] < short["EndTime"]
    # Shards, and the pages at the end, queue together.
    assert len(jobs(node, "rule_write_shards")) == len(jobs(node, "rule_plot")) == 0
    assert len(jobs(node, "rule_shards")) == 1
    assert len(jobs(node, "rule_report")) == 1
    # Jobs have asked for what they used, or more.
    benchmarks = list(uses(copy.folder / "results/benchmarks"))
    assert len(benchmarks) > 20
    for each in benchmarks:
        assert each.memory[0] < each.memory[1] and each.minutes[0] < each.minutes[1], each

    scores = copy.read("results/unet_80/metrics.json")
    here = "snakemake --configfile overlay.yaml --cores 2 --forcerun train_model --"
    result = copy.run(f"{here} results/unet_80/metrics.json")
    assert result.returncode == 0, result.stdout
    assert copy.read("results/unet_80/metrics.json") == scores
