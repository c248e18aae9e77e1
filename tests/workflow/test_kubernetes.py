"""Jobs in pods: Snakemake's executor and the client for real, against a stand-in for a cluster."""

import importlib.util
import re
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import PROJECT, Copy
from deepcolor.config import resources
from support.fake_hub import serving
from support.fake_kubernetes import Cluster

FOLDER = "workflow/profiles/kubernetes"
PROFILE = yaml.safe_load((PROJECT / FOLDER / "profile.yaml").read_text("utf-8"))
OBJECTS = {
    each["kind"]: each
    for each in yaml.safe_load_all((PROJECT / FOLDER / "volume.yaml").read_text("utf-8"))
}
DOCKERFILE = (PROJECT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
# Instructions, with what they say.
STEPS = re.findall(r"^([A-Z]+) (.*)$", DOCKERFILE, flags=re.MULTILINE)
VERBS = {"GET": "get", "POST": "create", "DELETE": "delete"}

needs_executor = pytest.mark.skipif(
    importlib.util.find_spec("snakemake_executor_plugin_kubernetes") is None,
    reason="the executor is not installed: python envs/install_clients.py --client kubernetes",
)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster with the volume's claim, and access to it."""
    (tmp_path / "pods").mkdir()
    with serving(Cluster(tmp_path / "pods", {"deepcolor"})) as server:
        assert isinstance(server, Cluster)
        server.write_access(tmp_path / "kubeconfig")
        yield server
        for name in server.jobs:
            server.lose(name)
        # Whoever started jobs has cleaned up, and was not denied what it asked for.
        assert not server.there and not server.secrets
        for request in server.seen:
            assert allowed(request), request


def allowed(request: str) -> bool:
    """Whether the role of volume.yaml lets a request through."""
    method, path = request.split()
    place, _, rest = path.partition("/namespaces/default/")
    resource, *names = rest.split("/")
    verb = VERBS[method] if names or method == "POST" else "list"
    wanted = "/".join([resource, *names[1:]])
    group = "" if place == "/api/v1" else place.split("/")[2]
    return any(
        group in rule["apiGroups"] and wanted in rule["resources"] and verb in rule["verbs"]
        for rule in OBJECTS["Role"]["rules"]
    )


def run(copy: Copy, target: str, options: str = "") -> Any:
    """Snakemake with the profile; the volume is the folder of the copy, at its own path."""
    volume = f"--kubernetes-volume-persistent-volumes deepcolor:{copy.folder}"
    return copy.run(
        f"snakemake --workflow-profile {FOLDER} --jobs 2 --latency-wait 5 "
        f"--seconds-between-status-checks 1 {volume} {options} -- {target}",
        KUBECONFIG=str(copy.folder.parent / "kubeconfig"),
        PYTHONPATH=FOLDER,
    )


def container(job: dict[str, Any]) -> dict[str, Any]:
    """The one container of a job."""
    (found,) = job["spec"]["template"]["spec"]["containers"]
    return found


def rule_of(job: dict[str, Any]) -> str:
    """The rule that a job runs."""
    found = re.search(r"--allowed-rules (\w+)", container(job)["args"][1])
    assert found
    return found[1]


@pytest.mark.slow
@needs_executor
def test_a_training_runs_in_pods(copy: Copy, cluster: Cluster) -> None:
    options = "--set-resources train_model:machine_type=a2-highgpu-1g --config threads=8"
    result = run(copy, "results/unet_1/model.keras", options)
    assert result.returncode == 0, result.stdout
    assert (copy.folder / "results/unet_1/model.keras").exists()
    rules = [rule_of(job) for job in cluster.jobs.values()]
    assert sorted(set(rules)) == [
        "fetch_photographs", "index_shards", "train_model", "write_manifest", "write_shards",
    ]  # fmt: skip
    assert rules.count("write_shards") == 3 and len(rules) == 7
    claim = {"name": "deepcolor", "persistentVolumeClaim": {"claimName": "deepcolor"}}
    for job in cluster.jobs.values():
        assert container(job)["image"] == PROFILE["container-image"]
        assert {"name": "deepcolor", "mountPath": str(copy.folder)} in container(job)["volumeMounts"]
        assert claim in job["spec"]["template"]["spec"]["volumes"]
        resources = container(job)["resources"]
        assert {"cpu", "memory", "ephemeral-storage"} <= resources["requests"].keys()
        assert resources["limits"]["memory"] == resources["requests"]["memory"]
    (training,) = [job for job in cluster.jobs.values() if rule_of(job) == "train_model"]
    spec, resources = training["spec"]["template"]["spec"], container(training)["resources"]
    assert resources["limits"]["nvidia.com/gpu"] == resources["requests"]["nvidia.com/gpu"] == "1"
    assert resources["limits"]["cpu"] == "8000m" and resources["requests"]["cpu"] == "7600m"
    assert spec["nodeSelector"] == {"node.kubernetes.io/instance-type": "a2-highgpu-1g"}
    assert [each["key"] for each in spec["tolerations"]] == ["nvidia.com/gpu"]
    # What pods made is there for all: the next run, on this machine, finds nothing to do.
    again = copy.run("snakemake --cores 2 results/unet_1/model.keras --config threads=8")
    assert "Nothing to be done" in again.stdout


@pytest.mark.slow
@needs_executor
def test_what_fails_in_a_pod_is_said_and_made_again(copy: Copy, cluster: Cluster) -> None:
    fetched = copy.run("snakemake --cores 2 data/photographs/manifest.csv")
    assert fetched.returncode == 0, fetched.stdout
    picture = min((copy.folder / "data/photographs/images").iterdir())
    content = picture.read_bytes()
    picture.unlink()
    shard = "data/shards/photographs-32/training-00000-of-00002.json"
    result = run(copy, shard)
    assert result.returncode
    assert f"{picture.name} is missing though it was fetched" in result.stdout
    # It was tried twice, and what the pods said is kept.
    logs = list((copy.folder / ".snakemake").rglob("kubernetes-logs/*.log"))
    assert len(cluster.jobs) == len(logs) == 2
    assert all("rule write_shards" in log.read_text("utf-8") for log in logs)
    picture.write_bytes(content)
    result = run(copy, shard)
    assert result.returncode == 0 and (copy.folder / shard).exists(), result.stdout
    assert len(cluster.jobs) == 3


@pytest.mark.slow
@needs_executor
def test_a_training_whose_pod_is_lost_goes_on(copy: Copy, cluster: Cluster) -> None:
    made = copy.run("snakemake --cores 2 data/shards/photographs-32/index.json")
    assert made.returncode == 0, made.stdout
    copy.write("long.yaml", "training: {epochs: [300]}")

    def lose_the_first() -> None:
        while not list(copy.folder.glob("results/unet_300/backup-*")):
            time.sleep(0.05)
        cluster.lose(next(iter(cluster.jobs)))

    killer = threading.Thread(target=lose_the_first, daemon=True)
    killer.start()
    result = run(copy, "results/unet_300/model.keras", "--configfile long.yaml")
    assert result.returncode == 0, result.stdout
    assert not killer.is_alive()
    # The second pod has found, on the volume, what no rule declares.
    _, second = cluster.jobs
    found = re.search(r"resuming after epoch (\d+)", cluster.log(second).read_text("utf-8"))
    assert found and 1 <= int(found[1]) < 300


@pytest.mark.slow
@needs_executor
def test_a_project_that_is_on_no_volume_is_said(copy: Copy, cluster: Cluster) -> None:
    result = copy.run(
        f"snakemake --workflow-profile {FOLDER} results/unet_1/model.keras",
        KUBECONFIG=str(copy.folder.parent / "kubeconfig"),
        PYTHONPATH=FOLDER,
    )
    assert result.returncode
    assert f"No volume that pods mount holds {copy.folder}" in result.stdout
    assert "Traceback" not in result.stdout and not cluster.seen


@pytest.mark.slow
@needs_executor
def test_a_run_outlasts_a_cluster_that_stumbles(copy: Copy, cluster: Cluster) -> None:
    cluster.faults = {
        "POST secrets": ["503"], "POST jobs": ["503", "lost"], "DELETE jobs": ["lost"],
        "GET jobs status": ["503", "401", "reset"], "GET pods": ["503", "429"],
        "DELETE secrets": ["503"],
    }  # fmt: skip
    vanished = threading.Event()

    def delete_the_first() -> None:
        while not any(
            f"jobs/{name}/status" in seen for name in list(cluster.jobs) for seen in cluster.seen
        ):
            time.sleep(0.05)
        cluster.vanish(next(iter(cluster.jobs)))
        vanished.set()

    threading.Thread(target=delete_the_first, daemon=True).start()
    result = run(copy, "data/photographs/manifest.csv")
    assert result.returncode == 0, result.stdout
    assert (copy.folder / "data/photographs/manifest.csv").exists() and vanished.is_set()
    # Every fault has come, and the deleted job was tried again.
    assert not any(cluster.faults.values()), cluster.faults
    assert sorted(map(rule_of, cluster.jobs.values())) == [
        "fetch_photographs", "fetch_photographs", "write_manifest",
    ]  # fmt: skip
    assert "Traceback" not in result.stdout


@pytest.mark.slow
@needs_executor
def test_a_cluster_that_refuses_access_is_said_in_a_line(copy: Copy, cluster: Cluster) -> None:
    cluster.faults = {"POST secrets": ["403"]}
    result = run(copy, "data/photographs/manifest.csv")
    assert result.returncode and "Kubernetes: 403 Forbidden" in result.stdout
    assert "Traceback" not in result.stdout


def test_profile_volume_and_image_go_together() -> None:
    (mount,) = PROFILE["kubernetes-volume-persistent-volumes"]
    claim, path = mount.split(":")
    pod = OBJECTS["Pod"]["spec"]
    assert OBJECTS["PersistentVolumeClaim"]["metadata"]["name"] == claim
    assert pod["volumes"] == [{"name": claim, "persistentVolumeClaim": {"claimName": claim}}]
    for each in pod["initContainers"] + pod["containers"]:
        assert each["image"] == PROFILE["container-image"]
        assert each["volumeMounts"] == [{"name": claim, "mountPath": path}]
    (owner,) = pod["initContainers"]
    steps = dict(STEPS)
    assert owner["command"] == ["chown", steps["USER"], path] == ["chown", "1000:1000", steps["WORKDIR"]]
    account = OBJECTS["ServiceAccount"]["metadata"]["name"]
    assert pod["serviceAccountName"] == account == OBJECTS["RoleBinding"]["subjects"][0]["name"]
    assert OBJECTS["RoleBinding"]["roleRef"]["name"] == OBJECTS["Role"]["metadata"]["name"]
    assert PROFILE["max-threads"] == resources.CLUSTER_THREADS


def test_every_key_of_the_profile_is_explained() -> None:
    lines = (PROJECT / FOLDER / "profile.yaml").read_text("utf-8").splitlines()
    for before, line in zip(lines, lines[1:], strict=False):
        if re.match(r"[a-z-]+:", line):
            assert before.startswith("#"), line


def test_the_image_holds_what_the_locks_name() -> None:
    wanted = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    version = re.match(r"python:(\d+\.\d+)-slim", dict(STEPS)["FROM"])
    assert version and wanted.startswith(f">={version[1]},")
    (copied,) = [what for step, what in STEPS if step == "COPY"]
    assert copied == "envs/*.txt /opt/envs/"
    ignored = (PROJECT / ".dockerignore").read_text("utf-8").splitlines()[1:]
    assert ignored == ["*", "!envs/*.txt"]
    extras = re.search(r"^ARG EXTRAS=(.*)$", DOCKERFILE, flags=re.MULTILINE)
    named = re.findall(r'EXTRAS="([^"]*)"', DOCKERFILE + (PROJECT / "README.md").read_text("utf-8"))
    assert extras and named
    for lock in " ".join(["requirements", extras[1], *named]).split():
        assert (PROJECT / "envs" / f"{lock}.txt").is_file(), lock
    (install,) = [what for step, what in STEPS if step == "RUN" and " pip " in what]
    assert install.startswith("for lock in requirements $EXTRAS; do")
    assert '--require-hashes -r "/opt/envs/$lock.txt" || exit 1;' in install
    # Not root's, and no path of a machine's own.
    assert [step for step, _ in STEPS].index("USER") > [step for step, _ in STEPS].index("WORKDIR")
    folders = re.search(r"PYTHONPATH=(\S+)", DOCKERFILE)
    assert folders
    for folder in folders[1].split(":"):
        assert (PROJECT / folder.removeprefix("/deepcolor/")).is_dir()
