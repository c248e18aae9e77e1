"""Connections that send a byte of a request now and then, to occupy a server."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

PAUSE = 0.5  # Seconds between two bytes of a connection.


@contextmanager
def trickling(url: str, count: int, path: str = "/answer") -> Iterator[None]:
    """Keep connections for the time of a block, each sending a request byte by byte, without end.

    Args:
        url: Address of the server.
        count: Connections; one that is closed is opened again at once.
        path: What is asked for.

    """
    address = (urlsplit(url).hostname, urlsplit(url).port)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n".encode()
    content = head + b"x" * 4000
    sockets: list[socket.socket] = []
    stop = threading.Event()

    def opened() -> socket.socket:
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(address)
        return connection

    def work() -> None:
        sent = [0] * count
        while not stop.wait(PAUSE):
            for number, connection in enumerate(sockets):
                try:
                    sent[number] += connection.send(content[sent[number] : sent[number] + 1])
                except BlockingIOError:
                    pass
                except OSError:
                    connection.close()
                    sockets[number], sent[number] = opened(), 0

    sockets += [opened() for _ in range(count)]
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for connection in sockets:
            with contextlib.suppress(OSError):
                connection.close()
