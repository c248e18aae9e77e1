"""Install the packages of lock files into the environment of the Python that runs this.

    python envs/install_packages.py envs/requirements.txt

uv installs them, several times faster than pip; where uv cannot be had or cannot resolve them, pip
does. Hashes are required either way. uv does not read pip's configuration; its settings are passed on.
"""

import argparse
import ast
import os
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

UV_LOCK = Path(__file__).parent / "uv.txt"
PIP = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes"]

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
# Seconds between lines in a log, between those that say the same, and between looks and states of the
# line that a terminal shows.
LINE_S, SAME_S, DRAW_S = 10.0, 60.0, 0.5
# What uv and pip print of their progress: a download begins or ends, a stage has been reached.
DOWNLOADING = re.compile(r"\s*Downloading (?:\S*/)?([^\s/]+) \(([\d.]+) ?([kKMG]?)(i?B)\)")
DOWNLOADED = re.compile(r"\s*Downloaded (\S+)")
STAGES = {"Resolved": "downloading", "Prepared": "installing", "Installed": "compiling"}
STAGES |= {"Collecting": "downloading", "Installing collected": "installing"}
# What else uv prints where nothing is wrong.
CHATTER = re.compile(r"Using Python|\s*(?:Building|Built) |Uninstalled|Bytecode compiled| [-+~] |$")
PREFIXES = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}
NAMED = 3  # Downloads under way that are named.

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


class Progress:
    """Where an installation is, by what uv or pip prints."""

    def __init__(self, packages: int) -> None:
        """Follow the installation of a number of packages."""
        self.packages, self.stage = packages, "resolving"
        self.downloads: dict[str, tuple[float, str]] = {}
        self._shown, self._since = "", time.monotonic()

    def read(self, line: str) -> bool:
        """Take note of a line; return whether it says where the installation is."""
        if match := DOWNLOADING.match(line):
            name, number, prefix, unit = match.groups()
            if "." in name:  # A file: pip downloads one after the other.
                self.downloads.clear()
            size = float(number) * PREFIXES[prefix.replace("K", "k")]
            self.downloads[name] = (size, f"{name} ({number} {prefix}{unit})")
        elif match := DOWNLOADED.match(line):
            self.downloads.pop(match[1], None)
        elif stage := next((STAGES[start] for start in STAGES if line.startswith(start)), None):
            self.stage = stage
            if stage != "downloading":
                self.downloads.clear()
        else:
            return bool(CHATTER.match(line))
        return True

    def __str__(self) -> str:
        """Say it in a line; the largest downloads are named."""
        line = f"Installing {self.packages} package{'s' * (self.packages != 1)}: {self.stage}"
        named = [text for _, text in sorted(self.downloads.values(), reverse=True)]
        if not named:
            return line
        others = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
        return f"{line} {', '.join(named[:NAMED])}{others}"

    def show(self) -> None:
        """Print it if it is time to: on a terminal over the line before."""
        line, terminal, now = str(self), sys.stdout.isatty(), time.monotonic()
        wait = DRAW_S if terminal else LINE_S if line != self._shown else SAME_S
        if now - self._since >= wait:
            self._shown, self._since = line, now
            width = shutil.get_terminal_size().columns - 1
            print(
                f"\r\x1b[K{line[:width]}" if terminal else line, end="" if terminal else "\n", flush=True
            )

    def hide(self) -> None:
        """Take the line off a terminal."""
        if sys.stdout.isatty():
            print("\r\x1b[K", end="", flush=True)


def follow(
    command: list[str], environment: dict[str, str], packages: int, stream: str
) -> tuple[int, str]:
    """Run an installer and show where it is: on a terminal in one line, else in a line now and then.

    Args:
        command: Command of uv or pip.
        environment: Its environment variables.
        packages: Number of packages that it installs.
        stream: Stream on which it prints its progress: "stdout" or "stderr".

    Returns:
        Its exit code, and what else it has printed on that stream.
    """
    progress, others, rest = Progress(packages), [], b""
    pipes = {stream: subprocess.PIPE}
    with subprocess.Popen(
        command, env=environment, stdout=pipes.get("stdout"), stderr=pipes.get("stderr")
    ) as process:
        pipe = process.stdout or process.stderr
        assert pipe
        while True:
            if select.select([pipe], [], [], DRAW_S)[0]:
                chunk = os.read(pipe.fileno(), 2**16)
                if not chunk:
                    break
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    text = line.decode("utf-8", "replace")
                    if not progress.read(text):
                        others.append(text)
            progress.show()
    progress.hide()
    return process.returncode, "\n".join([*others, rest.decode("utf-8", "replace")])


def count(locks: list[Path]) -> int:
    """Return the number of packages that lock files pin."""
    return sum(len(re.findall(r"^[\w.-]+==", lock.read_text("utf-8"), re.MULTILINE)) for lock in locks)


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
    if subprocess.run([*PIP, "--quiet", "-r", str(UV_LOCK)], check=False).returncode:
        return "it could not be installed"
    command = [sys.executable, "-m", "uv", "pip", "install", "--require-hashes"]
    # Compiled at once, as by pip: where Python may write no bytecode, every start would compile again.
    command += ["--compile-bytecode", "--python", sys.executable]
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        command.append("--no-index")
    for lock in locks:
        command += ["--requirements", str(lock)]
    code, others = follow(command, uv_environment(settings, dict(os.environ)), count(locks), "stderr")
    if code == 0:
        return ""
    return " ".join(others.split()) or f"exit code {code}"


def install(locks: list[Path]) -> bool:
    """Install the packages of lock files and return whether that worked.

    Args:
        locks: Paths of requirements files in which every package is pinned and has hashes.
    """
    problem = run_uv(locks)
    if problem:
        print(f"uv: {problem[:300]}; installing with pip", file=sys.stderr, flush=True)
        requirements = [word for lock in locks for word in ("-r", str(lock))]
        return follow([*PIP, *requirements], dict(os.environ), count(locks), "stdout")[0] == 0
    return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("locks", type=Path, nargs="+", metavar="LOCK")
    sys.exit(0 if install(parser.parse_args().locks) else 1)
