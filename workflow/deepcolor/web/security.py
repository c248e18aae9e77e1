"""What keeps other people's pages from using the pages that this machine serves."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import request


def headers(images: str = "'self'") -> dict[str, str]:
    """The headers of every answer.

    Args:
        images: Where pictures may come from, as a Content-Security-Policy has it.
    """
    return {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src {images}; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # With no-referrer, browsers would hide where a form comes from from its own server, too.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }


def is_own(origin: str, names: tuple[str, ...] = ()) -> bool:
    """Whether the request comes from the own pages, or not from a browser's page at all.

    Args:
        origin: Of the pages, as "https://example.org"; "" if it is the one that the request names.
        names: Hosts that the request may name then, beside numbers and localhost.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    sender = request.headers.get("Origin")
    own = origin or request.host_url.rstrip("/")
    if not origin and sender and not is_ours(names):
        return False  # Any name can be made to lead here; which one is ours, we have to be told.
    return site in ("same-origin", "none") and sender in (None, own)


def is_ours(names: tuple[str, ...] = ()) -> bool:
    """Whether the request names a host that nobody else could have registered, or one of `names`."""
    try:
        host = urlsplit(request.host_url).hostname or ""
        return host == "localhost" or host in names or bool(ip_address(host))
    except ValueError:
        return False
