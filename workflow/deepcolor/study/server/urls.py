"""Addresses of a study's pages: the public URL, its path before all others, and cookies' names."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from deepcolor.errors import DeepColorError


def cookie_name(name: str, path: str, secure: bool) -> str:
    """What to call a cookie, so that browsers hold it to its conditions.

    Args:
        name: Without them.
        path: Of the cookie; "" is all of the host.
        secure: Whether it is set over https; then no http page can set it, and if the path is all of
            the host, no other host of the domain can.
    """
    if not secure:
        return name
    return f"__Secure-{name}" if path else f"__Host-{name}"


def split_url(public_url: str) -> tuple[str, str]:
    """The origin of a public URL, as browsers write it, and its path without the slash at the end.

    Raises:
        DeepColorError: It is no such URL.
    """
    try:
        parts = urlsplit(public_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if (
        not re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:]+", host)
        or parts.scheme not in ("http", "https")
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
        or not re.fullmatch(r"(/(?!\.\.?(/|$))[A-Za-z0-9._~-]+)*/?", parts.path)
    ):
        raise DeepColorError(
            f"--public-url {public_url}: not the address of a page; write https://example.org/study"
        )
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[parts.scheme]
    return (
        f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else ""),
        parts.path.rstrip("/"),
    )


def below(prefix: str, application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """A WSGI application that answers below a prefix, as "" or "/study", and without it."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            path = path[len(prefix) :]
        return application({**environ, "SCRIPT_NAME": prefix, "PATH_INFO": path or "/"}, start)

    return answer
