"""Install the packages of lock files into the environment of the Python that runs this.

    python envs/install_packages.py envs/requirements.txt

uv installs them, several times faster than pip; where uv cannot be had or cannot resolve them, pip
does. Hashes are required either way. uv does not read pip's configuration; its settings are passed on.
"""

import argparse
import ast
import os
import subprocess
import sys
from pathlib import Path

UV_LOCK = Path(__file__).parent / "uv.txt"
PIP = [
    sys.executable,
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--require-hashes",
]

# pip's settings and the variables by which uv takes them.
VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
}
# Settings that uv would have to be told of in other ways. Where there is one, pip installs.
LEFT_TO_PIP = {"constraint", "no-binary", "only-binary", "prefix", "proxy", "target", "user"}


def pip_settings(listed: str) -> dict[str, str]:
    """Return pip's settings by name, as `pip config list` prints them.

    Settings of `pip install` take precedence over global ones, and variables (`:env:`) over both.
    """
    settings: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in settings:
            settings[section][name] = ast.literal_eval(value)
    return settings["global"] | settings["install"] | settings[":env:"]


def uv_environment(settings: dict[str, str], environment: dict[str, str]) -> dict[str, str]:
    """Return the environment variables that tell uv what pip's settings tell pip.

    Args:
        settings: pip's settings by name.
        environment: Variables that are set already. They take precedence.
    """
    # As pip does, consider the files of all indexes. The hashes decide which of them are accepted.
    variables = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    for name, variable in VARIABLES.items():
        if name in settings:
            separator = "," if name == "find-links" else " "
            variables[variable] = separator.join(settings[name].split())
    if "REQUESTS_CA_BUNDLE" in environment:
        variables.setdefault("SSL_CERT_FILE", environment["REQUESTS_CA_BUNDLE"])
    return variables | environment


def run_uv(locks: list[Path]) -> str:
    """Install with uv and return what went wrong, or an empty text."""
    config = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    try:
        settings = pip_settings(config.stdout)
    except (SyntaxError, ValueError):
        return "pip's configuration could not be read"
    if config.returncode:
        return "pip's configuration could not be read"
    if special := LEFT_TO_PIP & settings.keys():
        return f"not used, as pip has the setting '{min(special)}'"
    if subprocess.run([*PIP, "-r", str(UV_LOCK)], check=False).returncode:
        return "it could not be installed"
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes"]
    # Compiled at once, as by pip: where Python may write no bytecode, every start would compile again.
    command += ["--compile-bytecode", "--python", sys.executable]
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        command.append("--no-index")
    for lock in locks:
        command += ["--requirements", str(lock)]
    result = subprocess.run(
        command,
        env=uv_environment(settings, dict(os.environ)),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if result.returncode == 0:
        return ""
    return " ".join(result.stderr.split()) or f"exit code {result.returncode}"


def install(locks: list[Path]) -> bool:
    """Install the packages of lock files and return whether that worked.

    Args:
        locks: Paths of requirements files in which every package is pinned and has hashes.
    """
    problem = run_uv(locks)
    if problem:
        print(f"uv: {problem[:300]}; installing with pip", file=sys.stderr, flush=True)
        requirements = [word for lock in locks for word in ("-r", str(lock))]
        return subprocess.run([*PIP, *requirements], check=False).returncode == 0
    return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("locks", type=Path, nargs="+", metavar="LOCK")
    sys.exit(0 if install(parser.parse_args().locks) else 1)
