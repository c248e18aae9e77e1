"""The executor `kubernetes-volume`: jobs in pods of their own, on one volume that all of them mount.

The executor `kubernetes` takes for granted that pods share no files: it sends inputs, outputs and the
sources through a storage service, and leaves behind what no rule declares, such as the state of a
training under way. It also ends a run, or waits forever, where the cluster does not answer for a moment.
What is not here is used as it is.
"""

import shlex
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import kubernetes.client
import snakemake_executor_plugin_kubernetes as upstream
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from urllib3.exceptions import HTTPError

from .client import Client, describe

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
            WorkflowError: No volume that pods mount holds the project, or there is no access.
        """
        here = Path.cwd()
        volumes = self.workflow.executor_settings.persistent_volumes
        if not any(here.is_relative_to(volume.path) for volume in volumes):
            raise WorkflowError(
                f"No volume that pods mount holds {here}: run Snakemake in the pod that mounts the "
                "project's volume, or mend kubernetes-volume-persistent-volumes in the profile."
            )
        self.checked: list[SubmittedJobInfo] = []
        self._kubernetes_retry(super().__post_init__)
        self.client.patient = True

    def register_secret(self) -> None:
        """Create the secret with the jobs' environment; the first request."""
        self.client = Client(self.logger.warning)
        self.kubeapi = kubernetes.client.CoreV1Api(self.client)
        self.batchapi = kubernetes.client.BatchV1Api(self.client)
        # The logs of a lost node may never come.
        self.logs = kubernetes.client.CoreV1Api(Client(self.logger.warning))
        super().register_secret()

    def get_job_exec_prefix(self, job: JobExecutorInterface) -> str:
        """Pods start in an empty folder."""
        return f"cd {shlex.quote(str(Path.cwd()))}"

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report the jobs that have ended, and yield all others."""
        self.checked = active_jobs
        for job in active_jobs:
            async with self.status_rate_limiter:
                code, pod = self._kubernetes_retry(partial(self._exit_code, job.external_jobid))
            if code is None:
                yield job
                continue
            if code:
                self._report_failure(job, pod)
            else:
                self.report_job_success(job)
            if not self.workflow.executor_settings.omit_job_cleanup:
                self.cancel_jobs([job])

    def _exit_code(self, name: str) -> tuple[int | None, str | None]:
        """Return the exit code of a job, None while it runs, and the name of its pod, if it has one."""
        try:
            status = self.batchapi.read_namespaced_job_status(name, self.namespace).status
        except ApiException as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return 1, None  # Somebody has deleted it.
        pods = self.kubeapi.list_namespaced_pod(self.namespace, label_selector=f"job-name={name}").items
        pod = pods[0].metadata.name if pods else None
        # Containers that clusters add to pods may keep a job active that has ended.
        for container in (each for pod in pods for each in pod.status.container_statuses or []):
            if container.name == "snakemake" and container.state.terminated:
                return container.state.terminated.exit_code, pod
        return 1 if status.failed else 0 if status.succeeded else None, pod

    def _report_failure(self, job: SubmittedJobInfo, pod: str | None) -> None:
        path = self.log_path / f"{job.external_jobid}.log"
        if pod is None:
            self.report_job_error(job, msg=f"Job {job.external_jobid} has no pod any more. ")
            return
        try:
            log = self.logs.read_namespaced_pod_log(pod, self.namespace, container="snakemake")
        except (ApiException, HTTPError) as error:
            log = f"No log of pod {pod}: {describe(error)}"
        path.write_text(f"{log}\n", encoding="utf-8")
        self.report_job_error(job, msg=f"Job {job.external_jobid} failed. ", aux_logs=[str(path)])

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Delete jobs with their pods; where that fails, say which are left."""
        for job in active_jobs:
            try:
                self._kubernetes_retry(partial(self.safe_delete_job, job.external_jobid))
            except WorkflowError as error:
                self.logger.warning(f"{error}; delete it: kubectl delete job {job.external_jobid}")

    def cancel(self) -> None:
        """End all jobs, those whose state is being asked for too."""
        self.client.patient = False
        self.cancel_jobs(self.checked)
        super().cancel()

    def shutdown(self) -> None:
        """Wait no longer for a cluster that does not answer."""
        self.client.patient = False
        super().shutdown()

    def unregister_secret(self) -> None:
        """Delete the secret; where that fails, say that it is left."""
        try:
            super().unregister_secret()
        except WorkflowError as error:
            self.logger.warning(f"{error}; delete it: kubectl delete secret {self.run_namespace}")

    def _kubernetes_retry(self, func: Callable[[], Any]) -> Any:
        """Make requests. The client repeats them, and does not hold the executor's lock meanwhile.

        Raises:
            WorkflowError: A request fails for good.
        """
        try:
            return func()
        except (ApiException, HTTPError, ConfigException) as error:
            raise WorkflowError(f"Kubernetes: {describe(error)}") from None
