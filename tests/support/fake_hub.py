"""A stand-in for the Hugging Face hub on the loopback device, which can be made to misbehave.

It serves what `datasets` and `huggingface_hub` ask for when they stream a repository of data files:
ROOT/datasets/{owner}/{name}/ is the repository.
"""

import hashlib
import http.server
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Server(http.server.ThreadingHTTPServer):
    """What is served, what was asked, and which answers go wrong.

    Attributes:
        root: Folder of the repositories.
        faults: By kind ("fail", "short", "hang", "limit"), the numbers of the requests for content
            that are answered so: a server error, half a body, none, "too many requests".
        seen: Method, path and range of every request.
        sent: Bytes of content sent.
    """

    daemon_threads = True

    def __init__(self, root: Path, handler: type["Handler"] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler or Hub)
        self.root = root
        self.faults: dict[str, set[int]] = {}
        self.seen: list[str] = []
        self.sent = 0
        self.contents = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that are killed or give up."""

    def fault(self) -> str | None:
        """Which fault the next answer with content has."""
        self.contents += 1
        return next((kind for kind, which in self.faults.items() if self.contents in which), None)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve in a thread for the time of the block."""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers that may go wrong."""

    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def reply(self, body: bytes, status: int = 200, **headers: Any) -> None:
        """Answer with a body."""
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def content(self, body: bytes, status: int = 200, **headers: Any) -> None:
        """Answer with a file's content, unless this answer is to go wrong."""
        fault = self.server.fault()
        if fault == "fail":
            self.reply(b"", 503)
        elif fault == "limit":
            self.reply(b"", 429, Retry_After="1")
        elif fault == "hang":
            time.sleep(20)
            self.close_connection = True
        elif fault == "short":
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        else:
            self.server.sent += len(body)
            self.reply(body, status, **headers)


class Hub(Handler):
    """The hub's addresses."""

    def do_HEAD(self) -> None:
        """Answer like GET, without the body."""
        self.answer(b"")

    def do_GET(self) -> None:
        """Answer."""
        self.answer(b"")

    def do_POST(self) -> None:
        """Answer."""
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def json(self, content: object) -> None:
        """Answer with JSON."""
        self.reply(json.dumps(content).encode(), Content_Type="application/json")

    def missing(self, code: str) -> None:
        """Answer that there is no such thing."""
        self.reply(b"{}", 404, X_Error_Code=code, X_Error_Message=code)

    def answer(self, body: bytes) -> None:
        """Find out what is asked."""
        url = urllib.parse.urlsplit(self.path)
        self.server.seen.append(f"{self.command} {url.path} {self.headers.get('Range', '')}")
        parts = url.path.strip("/").split("/")
        if parts[:2] == ["api", "datasets"] and len(parts) >= 4:
            self.api(self.server.root / "datasets" / parts[2] / parts[3], parts[4:], url.query, body)
        elif parts[0] == "datasets" and len(parts) > 5 and parts[3] == "resolve":
            repository = self.server.root / "datasets" / parts[1] / parts[2]
            self.file(repository.joinpath(*map(urllib.parse.unquote, parts[5:])))
        else:
            self.missing("NotFound")

    def api(self, repository: Path, rest: list[str], query: str, body: bytes) -> None:
        """Facts about a repository."""
        if not repository.is_dir():
            self.missing("RepoNotFound")
            return
        files = sorted(path for path in repository.rglob("*") if path.is_file())
        if rest[:1] == ["revision"] and rest[1] not in (COMMIT, "main"):
            self.missing("RevisionNotFound")
        elif not rest or rest[0] == "revision":
            names = [{"rfilename": path.relative_to(repository).as_posix()} for path in files]
            facts = {"private": False, "gated": False, "disabled": False, "tags": [], "downloads": 0}
            name = "/".join(repository.parts[-2:])
            card = {"license": "cc-by-4.0"}
            self.json(
                {"id": name, "sha": COMMIT, "siblings": names, "cardData": card, "likes": 0, **facts}
            )
        elif rest[0] == "tree":
            base = repository.joinpath(*rest[2:])
            deep = urllib.parse.parse_qs(query).get("recursive", ["false"])[0].lower() == "true"
            inside = [path for path in repository.rglob("*") if base in path.parents]
            found = [path for path in inside if deep or path.parent == base]
            self.json([self.entry(repository, path) for path in sorted(found)])
        elif rest[0] == "paths-info":
            try:
                wanted = json.loads(body)["paths"]
            except ValueError:
                wanted = urllib.parse.parse_qs(body.decode()).get("paths", [])
            found = [repository / name for name in wanted if (repository / name).exists()]
            self.json([self.entry(repository, path) for path in found])
        else:
            self.missing("NotFound")

    def entry(self, repository: Path, path: Path) -> dict[str, Any]:
        """What the hub says of a file or folder."""
        name = path.relative_to(repository).as_posix()
        if path.is_dir():
            return {"type": "directory", "path": name, "size": 0, "oid": "0" * 40}
        content = path.read_bytes()
        entry = {"type": "file", "path": name, "size": len(content)}
        large = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        more = {"lfs": large} if path.suffix == ".parquet" else {}
        return {**entry, "oid": hashlib.sha1(content).hexdigest(), **more}

    def file(self, path: Path) -> None:
        """The content of a file, or a range of it."""
        if not path.is_file():
            self.missing("EntryNotFound")
            return
        content = path.read_bytes()
        headers: dict[str, Any] = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X_Repo_Commit": COMMIT,
            "Accept_Ranges": "bytes", "X_Linked_Size": str(len(content)),
        }  # fmt: skip
        if self.command == "HEAD":
            self.reply(content, **headers)
        elif wanted := self.headers.get("Range"):
            first, last = wanted.split("=")[1].split("-")
            start, stop = int(first), min(int(last or len(content)) + 1, len(content))
            headers["Content_Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
            self.content(content[start:stop], 206, **headers)
        else:
            self.content(content, **headers)
