"""Install the clients that a configuration needs, and CUDA's libraries; nothing if they are there.

    python envs/install_clients.py                    for config.yaml
    python envs/install_clients.py FILE               for config.yaml with FILE over it
    python envs/install_clients.py --gpu              CUDA's libraries too, for the GPU of this machine
    python envs/install_clients.py --client fiftyone  this one; "c2pa" signs pictures, "cuda" are CUDA's
                                                      libraries, "slurm" and "kubernetes" submit jobs
    python envs/install_clients.py --report FILE      no installation: say where the report is
    python envs/install_clients.py --study FILE       no installation: say how to serve the user study

`make` calls it before Snakemake starts, in the environment that it has made.
"""

import argparse
import hashlib
import sys
from pathlib import Path

ENVS = Path(__file__).parent
sys.path[:0] = [str(ENVS), str(ENVS.parent / "workflow")]

import install_packages  # noqa: E402
from deepcolor.compute import devices  # noqa: E402
from deepcolor.config import configuration  # noqa: E402
from deepcolor.config.data_sets import data_sets  # noqa: E402
from deepcolor.errors import DeepColorError, first_line  # noqa: E402


def needed(config: dict, gpu: bool = False) -> list[str]:
    """The clients that the data sets in use need; "cuda" too, if the configuration or `gpu` says so.

    Raises:
        DeepColorError: CUDA's libraries would serve nobody, as there is no GPU.
    """
    clients = sorted({each.environment for each in data_sets(config)} - {"data"})
    if not gpu and config["accelerator"] != "cuda":
        return clients
    if not devices.visible_gpus():
        raise DeepColorError(
            "no NVIDIA GPU is visible on this machine (nvidia-smi); leave out GPU=1, and set "
            "'accelerator' in config.yaml to auto or cpu"
        )
    return [*clients, "cuda"]


def install(client: str) -> None:
    """Install a client, or another of envs/*.txt, from its lock, unless that has been done.

    Raises:
        DeepColorError: It failed.
    """
    lock = ENVS / f"{client}.txt"
    checksum = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    stamp = Path(sys.prefix) / f"ready-{client}-{checksum}"
    if stamp.exists():
        return
    what = {
        "c2pa": "what signs pictures (once)",
        "cuda": "CUDA's libraries (once, a download of 3 GB)",
        "kubernetes": "what submits jobs to Kubernetes (once)",
        "slurm": "what submits jobs to Slurm (once)",
    }.get(client, f"the client of the source {client} (once, some minutes)")
    print(f"Installing {what}", flush=True)
    if not install_packages.install([lock]):
        raise DeepColorError(f"{lock} could not be installed; see above")
    stamp.touch()


def main() -> None:
    """Parse the command line and install."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("overlay", type=Path, nargs="?")
    parser.add_argument("--client", nargs="+")
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--study", action="store_true")
    args = parser.parse_args()
    if args.report:
        print(f"Report: {configuration.read(args.overlay)['results']}/report.html")
        return
    if args.study:
        folder = f"{configuration.read(args.overlay)['results']}/study"
        print(f"Study: {folder}/study.json; serve it with: deepcolor study serve --study {folder}")
        return
    for client in args.client or needed(configuration.read(args.overlay), args.gpu):
        install(client)


if __name__ == "__main__":
    try:
        main()
    except DeepColorError as error:
        sys.exit(f"Error: {error}")
    except OSError as error:
        sys.exit(f"Error: {error.filename or ''} {first_line(error)}")
