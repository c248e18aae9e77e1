"""Install the clients that data sets of a configuration need; nothing if they are there.

    python envs/install_clients.py                    for config.yaml
    python envs/install_clients.py FILE               for config.yaml with FILE over it
    python envs/install_clients.py --client fiftyone  this one
    python envs/install_clients.py --report FILE      no installation: say where the report is

`make` calls it before Snakemake starts, in the environment that it has made.
"""

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

ENVS = Path(__file__).parent
sys.path.insert(0, str(ENVS.parent / "workflow"))

from deepcolor import configuration  # noqa: E402
from deepcolor.errors import DeepColorError, first_line  # noqa: E402


def needed(config: dict) -> list[str]:
    """The clients that the data sets in use need."""
    return sorted({each.environment for each in configuration.data_sets(config)} - {"data"})


def install(client: str) -> None:
    """Install a client from its lock, unless that has been done.

    Raises:
        DeepColorError: It failed.
    """
    lock = ENVS / f"{client}.txt"
    checksum = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    stamp = Path(sys.prefix) / f"ready-{client}-{checksum}"
    if stamp.exists():
        return
    print(f"Installing the client of the source {client} (once, some minutes)", flush=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=False).returncode:
        raise DeepColorError(f"{lock} could not be installed; see above")
    stamp.touch()


def main() -> None:
    """Parse the command line and install."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("overlay", type=Path, nargs="?")
    parser.add_argument("--client", nargs="+")
    parser.add_argument("--report", action="store_true")
    args = parser.parse_args()
    if args.report:
        print(f"Report: {configuration.read(args.overlay)['results']}/report.html")
        return
    for client in args.client or needed(configuration.read(args.overlay)):
        install(client)


if __name__ == "__main__":
    try:
        main()
    except DeepColorError as error:
        sys.exit(f"Error: {error}")
    except OSError as error:
        sys.exit(f"Error: {error.filename or ''} {first_line(error)}")
