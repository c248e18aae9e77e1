"""Serving a study: one process with several threads, until it is told to stop."""

import contextlib
import errno
import ipaddress
import logging
import resource
import secrets
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from waitress import create_server, wasyncore

from deepcolor.errors import DeepColorError
from deepcolor.study.addresses import split_url
from deepcolor.study.app import MOST_BYTES, create_app
from deepcolor.study.store import Store

THREADS = 4
# People keep two to six connections open while they take part.
CONNECTIONS = 2000
# Files that the process needs besides: SQLite's, three a thread, and some more.
OTHER_FILES = 64
# Seconds: of an idle connection, between looks whether to stop, and to finish what is under way then.
IDLE, LOOK, FAREWELL = 120, 0.25, 10.0
SWITCH = 0.0002


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at an address of this machine; at any free port, if it is 0.

    Raises:
        DeepColorError: The port is in use, or the address is not this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeepColorError(
            f"--host {host}: there is no such address; use 127.0.0.1 or 0.0.0.0"
        ) from error
    family, kind, _, _, address = min(found)  # IPv4, if there are both.
    listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        reasons = {
            errno.EADDRINUSE: f"--port {port} is in use by another program; name another",
            errno.EADDRNOTAVAIL: f"--host {host} is not this machine's; use 127.0.0.1 or 0.0.0.0",
            errno.EACCES: f"--port {port} is not for everybody; name one from 1024 on",
        }
        reason = reasons.get(error.errno or 0, f"--host {host} --port {port}: {error}")
        raise DeepColorError(reason) from error
    return listener


def address(listener: socket.socket) -> str:
    """The address of a listening socket, as a browser on this machine takes it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def warning(listener: socket.socket, public_url: str) -> str:
    """What to say where answers and the administration's token can be read on their way; else ""."""
    if split_url(public_url)[0].startswith("https:") if public_url else False:
        return ""
    if ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback and not public_url:
        return ""
    return (
        "warning: what people send is not encrypted on its way; put a web server with https before "
        "this one, and name its address with --public-url https://…"
    )


def run(
    store: Store, listener: socket.socket, token: str, public_url: str, stop: threading.Event
) -> None:
    """Serve a study until `stop` is set; answers under way are finished. Closes store and socket.

    Args:
        store: Of the study.
        listener: Of `listen`.
        token: Of the administration.
        public_url: See `app.create_app`; "" if people use the listener's address.
        stop: Is looked at several times a second.
    """
    logging.getLogger("waitress").setLevel(logging.CRITICAL)  # It would tell people's addresses.
    # A thread that writes gives up Python's lock at every step on the disk, and would wait for it for
    # 5 ms each time while others compute.
    sys.setswitchinterval(SWITCH)
    connections: dict[int, Any] = {}
    server = create_server(
        create_app(store, token, public_url),
        map=connections,
        sockets=[listener],
        threads=THREADS,
        connection_limit=_most_connections(),
        asyncore_use_poll=True,
        channel_timeout=IDLE,
        max_request_header_size=2 * MOST_BYTES,
        max_request_body_size=2 * MOST_BYTES,
        log_socket_errors=False,
        ident=None,
        # A flood of requests on one connection must not hold a thread until its replies are read.
        recv_bytes=1024,
        outbuf_high_watermark=2**26,
    )

    def work() -> None:
        wasyncore.loop(timeout=LOOK, use_poll=True, map=connections, count=1)

    while not stop.is_set():
        work()
    server.accepting = False
    end = time.monotonic() + FAREWELL
    while time.monotonic() < end and any(
        channel.requests or channel.total_outbufs_len for channel in server.active_channels.values()
    ):
        work()
    server.task_dispatcher.shutdown()
    wasyncore.close_all(connections)
    store.close()


def _most_connections() -> int:
    """As many connections as wanted, or as the system lets a process have files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft < 2 * OTHER_FILES:
            raise DeepColorError(f"only {soft} files may be open; type: ulimit -n {wanted}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return soft - OTHER_FILES
    return CONNECTIONS


def serve(
    folder: Path, database: Path, *, host: str, port: int, public_url: str, simulated: bool
) -> None:
    """The command `deepcolor study serve`: serve until SIGTERM or Ctrl-C.

    Args:
        folder: With study.json and pictures/.
        database: The study's file; made if it is not there.
        host: To listen at.
        port: To listen at; 0 for any free one.
        public_url: Where people find the study, if other than there; "" if not.
        simulated: Whether all answers are a rehearsal's.

    Raises:
        DeepColorError: As for `split_url`, `listen` and `Store`.
    """
    if public_url:
        split_url(public_url)
    listener = listen(host, port)
    store = Store(database, folder, simulated)
    token, stop = secrets.token_urlsafe(32), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    here = address(listener)
    people = public_url.rstrip("/") or here
    say = "Rehearsal of" if simulated else "Serving"
    lines = [
        f'{say} "{store.study["title"]}" ({store.study["protocol"]}) at {here}',
        f"For those who take part: {people}/",
        f"Answers are kept in {database}; `deepcolor study export` reads them at any time",
        f"Administration: {people}/admin with the token {token}",
        warning(listener, public_url),
        "Ctrl-C stops",
    ]
    print("\n".join(filter(None, lines)), flush=True)
    run(store, listener, token, public_url, stop)
    with contextlib.suppress(OSError):  # The terminal may be gone.
        print("Stopped; all answers are kept", flush=True)
