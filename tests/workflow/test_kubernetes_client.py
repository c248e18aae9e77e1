"""The client of the Kubernetes executor against a stand-in for a cluster that stumbles."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT
from support.fake_hub import serving
from support.fake_kubernetes import Cluster

pytest.importorskip("snakemake_executor_plugin_kubernetes", reason="the executor is not installed")
sys.path.insert(0, str(PROJECT / "workflow/profiles/kubernetes"))

import kubernetes.client  # noqa: E402
import kubernetes.config.incluster_config as in_cluster  # noqa: E402
from kubernetes.client.exceptions import ApiException  # noqa: E402
from snakemake_executor_plugin_kubernetes_volume import client as library  # noqa: E402
from urllib3.exceptions import HTTPError  # noqa: E402

SECRET = {"metadata": {"name": "one"}, "data": {}}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A cluster that the default kubeconfig names."""
    with serving(Cluster(tmp_path, set())) as server:
        assert isinstance(server, Cluster)
        server.write_access(tmp_path / "kubeconfig")
        path = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
        monkeypatch.setattr(path, str(tmp_path / "kubeconfig"))
        yield server


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the client has waited, in no time."""
    waited: list[float] = []
    monkeypatch.setattr(library, "time", type("Clock", (), {"sleep": staticmethod(waited.append)}))
    return waited


@pytest.fixture
def api(cluster: Cluster) -> Any:
    """The interface, through the client."""
    return kubernetes.client.CoreV1Api(library.Client([].append))


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ([], []),
        (["503"], [1]),
        (["429"], [2]),  # As the cluster asks.
        (["500", "reset", "lost", "502"], [1, 2, 4, 8]),
        (["hang"], [1]),
    ],
)
def test_what_passes_is_repeated(
    cluster: Cluster, api: Any, waits: list[float], faults: list[str], expected: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(library, "REQUEST_TIMEOUT_S", 0.3 if "hang" in faults else 60)
    cluster.faults = {"GET pods": faults}
    assert api.list_namespaced_pod("default", label_selector="job-name=none").items == []
    assert waits == expected


@pytest.mark.parametrize(("fault", "error"), [("503", ApiException), ("reset", HTTPError)])
def test_only_a_patient_client_repeats_without_end(
    cluster: Cluster, api: Any, waits: list[float], fault: str, error: type[Exception]
) -> None:
    cluster.faults = {"GET pods": [fault] * 5}
    with pytest.raises(error):
        api.list_namespaced_pod("default", label_selector="job-name=none")
    assert waits == [1, 2, 4, 8]
    waits.clear()
    cluster.faults = {"GET pods": [fault] * 9}
    api.api_client.patient = True
    assert api.list_namespaced_pod("default", label_selector="job-name=none").items == []
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_what_does_not_pass_is_raised_at_once(
    cluster: Cluster, api: Any, waits: list[float], status: int
) -> None:
    api.api_client.patient = True
    cluster.faults = {"GET pods": [str(status)]}
    with pytest.raises(ApiException) as raised:
        api.list_namespaced_pod("default", label_selector="job-name=none")
    assert raised.value.status == status and not waits


def test_a_lost_answer_creates_and_deletes_once(cluster: Cluster, api: Any, waits: list[float]) -> None:
    cluster.faults = {"POST secrets": ["lost"], "DELETE secrets": ["lost"]}
    api.create_namespaced_secret("default", SECRET)
    assert list(cluster.secrets) == ["one"] and waits == [1]
    api.delete_namespaced_secret("one", "default")
    assert not cluster.secrets and waits == [1, 1]


def test_credentials_that_expire_are_loaded_again(
    cluster: Cluster, api: Any, waits: list[float]
) -> None:
    cluster.faults = {"POST secrets": ["401"]}
    api.create_namespaced_secret("default", SECRET)
    assert list(cluster.secrets) == ["one"] and waits == [1]
    cluster.replace_token()
    api.delete_namespaced_secret("one", "default")
    assert not cluster.secrets


def test_in_a_pod_the_token_of_its_volume_is_loaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
    monkeypatch.setattr(path, str(tmp_path / "none"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setattr(in_cluster, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setattr(in_cluster, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    (tmp_path / "ca.crt").write_text("certificate")
    configuration = kubernetes.client.Configuration()
    for token in ("first", "second"):
        (tmp_path / "token").write_text(token)
        library.load_credentials(configuration)
        assert configuration.get_api_key_with_prefix("authorization") == f"bearer {token}"
