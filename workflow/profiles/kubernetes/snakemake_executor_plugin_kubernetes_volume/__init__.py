"""The executor `kubernetes-volume`: jobs in pods of their own, on one volume that all of them mount.

The executor `kubernetes` takes for granted that pods share no files: it sends inputs, outputs and the
sources through a storage service, and leaves behind what no rule declares, such as the state of a
training under way. Everything else of it is right, and is used as it is.
"""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import kubernetes.client
import snakemake_executor_plugin_kubernetes as upstream
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

__all__ = ["Executor", "ExecutorSettings", "common_settings"]

ExecutorSettings = upstream.ExecutorSettings

common_settings = replace(
    upstream.common_settings,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_default_storage_provider_args=False,
    auto_deploy_default_storage_provider=False,
)


class Executor(upstream.Executor):
    """Runs jobs in the folder in which Snakemake runs itself, which must be on a mounted volume."""

    def __post_init__(self) -> None:
        """Connect to the cluster.

        Raises:
            WorkflowError: No volume that pods mount holds the project.
        """
        here = Path.cwd()
        volumes = self.workflow.executor_settings.persistent_volumes
        if not any(here.is_relative_to(volume.path) for volume in volumes):
            raise WorkflowError(
                f"No volume that pods mount holds {here}: run Snakemake in the pod that mounts the "
                "project's volume, or mend kubernetes-volume-persistent-volumes in the profile."
            )
        super().__post_init__()
        self.kubeapi = _Api()

    def get_job_exec_prefix(self, job: JobExecutorInterface) -> str:
        """Pods start in an empty folder."""
        return f"cd {shlex.quote(str(Path.cwd()))}"


class _Api(kubernetes.client.CoreV1Api):
    """The cluster's interface, asked for what it has."""

    def read_namespaced_pod_log(self, name: str, namespace: str, **options: Any) -> Any:
        """The log of a pod's container; it never restarts, and so has no previous one to ask for."""
        options.pop("previous", None)
        return super().read_namespaced_pod_log(name, namespace, **options)
