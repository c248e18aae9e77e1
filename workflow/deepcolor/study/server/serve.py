"""Serving a study: one process with several threads, until it is told to stop."""

import contextlib
import secrets
import socket
import sys
import threading
from pathlib import Path

from deepcolor.errors import printable
from deepcolor.study.server.app import MAX_BYTES, create_app
from deepcolor.study.server.store import Store
from deepcolor.study.server.urls import split_url
from deepcolor.web import server
from deepcolor.web.server import address, is_for_this_machine, listen

THREADS = 4
# People keep two to six connections open while they take part. SQLite has three more files a thread.
CONNECTIONS = 2000
IDLE = 120  # Seconds of an idle connection.
SWITCH = 0.0002


def warning(listener: socket.socket, public_url: str) -> str:
    """What to say where answers and the administration's token can be read on their way; else ""."""
    if split_url(public_url)[0].startswith("https:") if public_url else False:
        return ""
    if is_for_this_machine(listener) and not public_url:
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
    # A thread that writes gives up Python's lock at every step on the disk, and would wait for it for
    # 5 ms each time while others compute.
    sys.setswitchinterval(SWITCH)
    server.run(
        create_app(store, token, public_url),
        listener,
        stop,
        connections=CONNECTIONS,
        idle=IDLE,
        threads=THREADS,
        max_request_header_size=2 * MAX_BYTES,
        max_request_body_size=2 * MAX_BYTES,
        # A flood of requests on one connection must not hold a thread until its replies are read.
        recv_bytes=1024,
        outbuf_high_watermark=2**26,
    )
    store.close()


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
        DeepColorError: As for `split_url`, `listen`, `Store` and `Store.close`.
    """
    if public_url:
        split_url(public_url)
    listener = listen(host, port)
    store = Store(database, folder, simulated)
    token, stop = secrets.token_urlsafe(32), server.stop_when_told()
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
    print("\n".join(map(printable, filter(None, lines))), flush=True)
    run(store, listener, token, public_url, stop)
    log = Path(f"{database}-wal")
    # On a full disk, or where another process serves the file, too.
    rest = f" in {database} and {log}: keep both" if log.exists() and log.stat().st_size else ""
    with contextlib.suppress(OSError):  # The terminal may be gone.
        print(f"Stopped; all answers are kept{printable(rest)}", flush=True)
