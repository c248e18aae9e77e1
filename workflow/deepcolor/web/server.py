"""Serving pages from this machine: one process with several threads, until it is told to stop."""

import ctypes
import errno
import ipaddress
import logging
import resource
import signal
import socket
import threading
import time
from typing import Any

from waitress import create_server, wasyncore

from deepcolor.errors import DeepColorError
from deepcolor.web.connections import Places

# Files that the process needs beside its connections.
OTHER_FILES = 64
# Seconds between looks whether to stop, and to finish what is under way then.
LOOK, FAREWELL = 0.25, 10.0

# Of glibc's mallopt, see malloc.h: from how many bytes on memory is the system's, not an arena's.
M_MMAP_THRESHOLD, MMAP_BYTES = -3, 2**20


def return_freed_memory() -> None:
    """Have glibc return large blocks to the system when they are freed.

    By itself it keeps more and more of them in the arenas of threads, whose holes no picture fits.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # Other C libraries have none.
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)


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


def is_for_this_machine(listener: socket.socket) -> bool:
    """Whether nobody else's machine can reach a listening socket."""
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def stop_when_told() -> threading.Event:
    """An event that SIGTERM, SIGHUP and Ctrl-C set, in place of what else they do."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop


def run(
    application: Any,
    listener: socket.socket,
    stop: threading.Event,
    *,
    connections: int,
    idle: float,
    **options: Any,
) -> None:
    """Serve until `stop` is set; requests under way are finished. Closes the socket.

    Args:
        application: WSGI.
        listener: Of `listen`.
        stop: Is looked at several times a second.
        connections: At a time, at most, if the system lets the process have so many files. When all
            places are taken, the connection that has waited longest is closed; see `connections`.
        idle: Seconds that a connection may stay without a request.
        options: Further ones of waitress, such as `threads`.
    """
    logging.getLogger("waitress").setLevel(logging.CRITICAL)  # It would tell people's addresses.
    channels: dict[int, Any] = {}
    most = _most_connections(connections)
    server = create_server(
        application,
        map=channels,
        sockets=[listener],
        connection_limit=most + 2,  # Waitress counts the listener and its trigger, too.
        channel_timeout=idle,
        asyncore_use_poll=True,
        log_socket_errors=False,
        ident=None,
        **options,
    )

    places = Places(server, most, idle)

    def work() -> None:
        wasyncore.loop(timeout=LOOK, use_poll=True, map=channels, count=1)
        places.clear()

    while not stop.is_set():
        work()
    server.accepting = False
    end = time.monotonic() + FAREWELL
    while time.monotonic() < end and any(
        channel.requests or channel.total_outbufs_len for channel in server.active_channels.values()
    ):
        work()
    server.task_dispatcher.shutdown()
    wasyncore.close_all(channels)


def _most_connections(most: int) -> int:
    """As many connections as wanted, or as the system lets a process have files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft < 2 * OTHER_FILES:
            raise DeepColorError(f"only {soft} files may be open; type: ulimit -n {wanted}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return soft - OTHER_FILES
    return most
