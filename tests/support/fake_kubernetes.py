"""A stand-in for a Kubernetes cluster on the loopback device, which runs pods as processes.

It serves what Snakemake's executor asks for: secrets, jobs, pods and their logs. A pod's command runs
with the pod's environment and nothing of the one that it was submitted from, in an empty folder. What a
cluster would refuse is refused.
"""

import base64
import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any

import yaml

from support.fake_hub import Handler, Server


class Cluster(Server):
    """What was asked of the cluster, and what is in it.

    Attributes:
        root: Folder for the pods' own folders and logs.
        claims: The volume claims that there are.
        jobs: By name, the jobs as they were asked for; those that are deleted stay.
        there: Names of the jobs that are not deleted.
        secrets: By name.
        faults: By kind of request, such as "GET pods" or "GET jobs status", what goes wrong with the
            next ones: a status; "reset", a connection that breaks before the request is carried out;
            "lost", one that breaks after; "hang", no answer.
        token: What requests must carry. The status 401 replaces it, as a cluster does with pods' tokens.
    """

    def __init__(self, root: Path, claims: set[str]) -> None:
        super().__init__(root, Api)
        self.claims = claims
        self.jobs: dict[str, dict[str, Any]] = {}
        self.there: set[str] = set()
        self.secrets: dict[str, dict[str, Any]] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.lock = threading.Lock()
        self.faults: dict[str, list[str]] = {}
        self.token = "token"
        self.access: Path | None = None

    def write_access(self, path: Path) -> None:
        """Write what a client needs to know, a `kubeconfig`, now and whenever the token changes."""
        self.access = path
        cluster = {"name": "here", "cluster": {"server": self.url}}
        context = {"name": "here", "context": {"cluster": "here", "user": "me"}}
        path.write_text(
            yaml.safe_dump(
                {
                    **{"apiVersion": "v1", "kind": "Config", "current-context": "here"},
                    **{"clusters": [cluster], "contexts": [context]},
                    "users": [{"name": "me", "user": {"token": self.token}}],
                }
            ),
            encoding="utf-8",
        )

    def exists(self, resource: str, name: str) -> bool:
        """Whether there is an object of a name among the jobs or secrets."""
        return name in (self.there if resource == "jobs" else self.secrets)

    def start(self, job: dict[str, Any]) -> None:
        """Run a job's pod."""
        name = job["metadata"]["name"]
        (container,) = job["spec"]["template"]["spec"]["containers"]
        folder = Path(tempfile.mkdtemp(dir=self.root))
        environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(folder)}
        environment["PYTHONPATH"] = "workflow/profiles/kubernetes"  # As in the image.
        for each in container.get("env", []):
            source = each["valueFrom"]["secretKeyRef"]
            value = self.secrets[source["name"]]["data"][source["key"]]
            environment[each["name"]] = base64.b64decode(value).decode()
        with open(self.log(name), "wb") as log:
            self.processes[name] = subprocess.Popen(
                [*container["command"], *container["args"]],
                cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def replace_token(self) -> None:
        """Refuse the present token from now on."""
        self.token += "+"
        if self.access:
            self.write_access(self.access)

    def lose(self, name: str) -> None:
        """End a job's pod with all that runs in it, as when its node goes down."""
        if self.processes[name].poll() is None:
            os.killpg(self.processes[name].pid, signal.SIGKILL)

    def vanish(self, name: str) -> None:
        """Delete a job with its pod, as somebody may."""
        self.lose(name)
        self.there.discard(name)

    def log(self, name: str) -> Path:
        """What a job's pod has printed."""
        return self.root / f"{name}.log"

    def refusal(self, job: dict[str, Any]) -> str | None:
        """Why a cluster would refuse a job, or would never run it; None if it would."""
        spec = job["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        volumes = {each["name"]: each for each in spec["volumes"]}
        for each in container["volumeMounts"]:
            if each["name"] not in volumes:
                return f"volumeMounts: no volume {each['name']}"
        for each in volumes.values():
            claim = each.get("persistentVolumeClaim", {}).get("claimName")
            if claim and claim not in self.claims:
                return f"persistentvolumeclaim {claim} not found"
        requests, limits = (container["resources"].get(each, {}) for each in ("requests", "limits"))
        for name, value in requests.items():
            # Resources of other makers, such as GPUs, are never promised twice.
            if "/" in name and limits.get(name) != value:
                return f"limits: Limit must be set for non overcommitable resources ({name})"
        return None


class Api(Handler):
    """The addresses of a cluster's interface."""

    server: Cluster

    def do_GET(self) -> None:  # noqa: N802 (the names are the base class's)
        """Answer."""
        self.answer({})

    def do_POST(self) -> None:  # noqa: N802
        """Answer."""
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def do_DELETE(self) -> None:  # noqa: N802
        """Answer."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer({})

    def json(self, content: dict[str, Any], status: int = 200, **headers: str) -> None:
        """Answer with JSON."""
        self.reply(json.dumps(content).encode(), status, Content_Type="application/json", **headers)

    def refuse(self, status: int, message: str, reason: str = "", **headers: str) -> None:
        """Answer that it cannot be."""
        content = {"kind": "Status", "status": "Failure", "message": message, "reason": reason}
        self.json({**content, "code": status}, status, **headers)

    def answer(self, body: dict[str, Any]) -> None:
        """Find out what is asked."""
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.server.seen.append(f"{self.command} {url.path}")
        names = url.path.split("/namespaces/default/")[-1].split("/")
        kind = " ".join([self.command, names[0], *names[2:]])
        with self.server.lock:
            faults = self.server.faults.get(kind)
            fault = faults.pop(0) if faults else ""
            if fault == "401":
                self.server.replace_token()
            if self.headers.get("Authorization") != f"Bearer {self.server.token}":
                self.refuse(401, "Unauthorized")
                return
            if fault == "lost":
                self.wfile = io.BytesIO()
            elif fault.isdigit():
                self.refuse(
                    int(fault), "it goes wrong", **({"Retry_After": "2"} if fault == "429" else {})
                )
                return
        if fault == "hang":
            time.sleep(1)
        if fault in ("reset", "hang"):
            self.break_off()
            return
        with self.server.lock:
            match [self.command, *names]:
                case ["POST", _] if self.server.exists(names[0], body["metadata"]["name"]):
                    self.refuse(409, f"{body['metadata']['name']} already exists", "AlreadyExists")
                case ["POST", "secrets"]:
                    self.server.secrets[body["metadata"]["name"]] = body
                    self.json(body, 201)
                case ["DELETE", "secrets", name] if name in self.server.secrets:
                    self.server.secrets.pop(name)
                    self.json({"kind": "Status", "status": "Success"})
                case ["POST", "jobs"]:
                    if refusal := self.server.refusal(body):
                        self.refuse(422, refusal)
                        return
                    name = body["metadata"]["name"]
                    self.server.jobs[name] = body
                    self.server.there.add(name)
                    self.server.start(body)
                    self.json(body, 201)
                case ["GET", "jobs", name, "status"] if name in self.server.there:
                    self.json({**self.server.jobs[name], "status": self.job_status(name)})
                case ["DELETE", "jobs", name] if name in self.server.there:
                    self.server.there.remove(name)
                    self.json({"kind": "Status", "status": "Success"})
                case ["GET", "pods"]:
                    name = query["labelSelector"].removeprefix("job-name=")
                    there = [self.pod(name)] if name in self.server.there else []
                    self.json({"kind": "PodList", "apiVersion": "v1", "items": there})
                case ["DELETE", "pods", pod] if pod.removesuffix("-pod") in self.server.there:
                    self.server.lose(pod.removesuffix("-pod"))
                    self.json(self.pod(pod.removesuffix("-pod")))
                case ["GET", "pods", pod, "log"] if pod.removesuffix("-pod") in self.server.there:
                    if (
                        query.get("previous", "").lower() == "true"
                    ):  # There is one where it has restarted.
                        self.refuse(400, f'previous terminated container in pod "{pod}" not found')
                    else:
                        log = self.server.log(pod.removesuffix("-pod"))
                        self.reply(log.read_bytes(), Content_Type="text/plain")
                case _:
                    self.refuse(404, f"{self.path} not found")
        if fault == "lost":
            self.break_off()

    def break_off(self) -> None:
        """Break the connection without an answer."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def job_status(self, name: str) -> dict[str, int]:
        """How a job is."""
        code = self.server.processes[name].poll()
        return {"active": 1} if code is None else {"succeeded": 1} if code == 0 else {"failed": 1}

    def pod(self, name: str) -> dict[str, Any]:
        """The pod of a job."""
        code = self.server.processes[name].poll()
        state = {"running": {}} if code is None else {"terminated": {"exitCode": code}}
        container = {"name": "snakemake", "state": state, "ready": code is None, "restartCount": 0}
        container |= {"image": "", "imageID": ""}
        return {
            "metadata": {"name": f"{name}-pod", "labels": {"job-name": name}},
            "spec": self.server.jobs[name]["spec"]["template"]["spec"],
            "status": {"containerStatuses": [container]},
        }
