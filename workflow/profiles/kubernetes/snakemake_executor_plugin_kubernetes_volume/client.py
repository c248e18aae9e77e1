"""A client of Kubernetes that outlasts what passes: outages, overload, expired tokens."""

import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import kubernetes.client
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

REQUEST_TIMEOUT_S = 60
# Between two attempts: 1, 2, 4 … seconds, or as long as the cluster asks for.
MAX_WAIT_S = 60
MAX_RETRY_AFTER_S = 300
# Of a client that is not patient.
MAX_ATTEMPTS = 5


class Client(kubernetes.client.ApiClient):
    """A client that repeats requests after what passes.

    This is: no answer within a minute, a broken connection, the statuses 429 and 5xx, and 401, after
    which it loads the credentials again.

    Attributes:
        patient: Whether it repeats requests without end, instead of `MAX_ATTEMPTS` times.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        """Load the credentials.

        Args:
            warn: Called with a line before every wait.

        Raises:
            ConfigException: There are none.
        """
        self.patient = False
        self._warn = warn
        configuration = kubernetes.client.Configuration()
        load_credentials(configuration)
        configuration.retries = False  # Those of urllib3, which does not wait.
        super().__init__(configuration)

    def call_api(
        self, resource_path: str, method: str, path_params: Any = None, *args: Any, **options: Any
    ) -> Any:
        """Make a request, see the base class.

        Returns:
            The answer. None where a request whose answer was lost has created or deleted the object.

        Raises:
            ApiException: The cluster refuses the request.
            HTTPError: The cluster does not answer.
        """
        options["_request_timeout"] = options.get("_request_timeout") or REQUEST_TIMEOUT_S
        attempt = 0
        while True:
            attempt += 1
            try:
                return super().call_api(resource_path, method, path_params, *args, **options)
            except (ApiException, HTTPError) as error:
                if _has_been_done(method, error):
                    return None
                if not _passes(error) or (attempt >= MAX_ATTEMPTS and not self.patient):
                    raise
                if getattr(error, "status", None) == HTTPStatus.UNAUTHORIZED:
                    with suppress(ConfigException):
                        load_credentials(self.configuration)
                wait = max(min(2 ** (attempt - 1), MAX_WAIT_S), _retry_after(error))
                path = resource_path.format(**(path_params or {}))
                self._warn(f"{method} {path}: {describe(error)}; next attempt in {wait:.0f} s")
            time.sleep(wait)


def load_credentials(configuration: kubernetes.client.Configuration) -> None:
    """Load the kubeconfig or, where there is none, the pod's token, which the cluster replaces.

    Raises:
        ConfigException: There is neither.
    """
    try:
        load_kube_config(client_configuration=configuration)
    except ConfigException:
        load_incluster_config(client_configuration=configuration)


def describe(error: Exception) -> str:
    """Return what went wrong in one line."""
    if isinstance(error, ApiException):
        return " ".join(f"{error.status} {error.reason}".split())
    return " ".join(str(error).split())


def _passes(error: Exception) -> bool:
    """Whether the same request may succeed later; status 0 is a broken TLS connection."""
    status = getattr(error, "status", 0)
    return status in (0, HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS) or status >= 500


def _has_been_done(method: str, error: Exception) -> bool:
    """Whether an object exists that should be created (names are unique), or is gone that should go."""
    status = getattr(error, "status", None)
    if method == "POST":
        return status == HTTPStatus.CONFLICT and '"AlreadyExists"' in str(getattr(error, "body", ""))
    return method == "DELETE" and status == HTTPStatus.NOT_FOUND


def _retry_after(error: Exception) -> float:
    """The seconds that the cluster asks to wait for, 0 where it asks for none."""
    value = (getattr(error, "headers", None) or {}).get("Retry-After")
    with suppress(HTTPError):
        return min(Retry().parse_retry_after(value), MAX_RETRY_AFTER_S) if value else 0
    return 0
