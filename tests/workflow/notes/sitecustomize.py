"""Note what a job loads and reads. Python imports this at its start where PYTHONPATH leads here.

The end of every job writes a JSON file into the folder $JOB_NOTES: its command line, the modules of
workflow/ that it has loaded, and the files of data/, results/ and workflow/ that it has opened to read.
"""

import atexit
import json
import os
import sys
import time

FOLDER = os.environ.get("JOB_NOTES")
# Set before site is imported, as sys.argv is not.
COMMAND = sys.orig_argv[1:]
TOP = os.getcwd()
PARTS = ("data", "results", "workflow/")
read: set[str] = set()


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Remember a file that is opened to be read."""
    if event == "open" and isinstance(arguments[0], str) and not int(str(arguments[2])) & os.O_WRONLY:
        read.add(arguments[0])


def inside(paths: set[str]) -> list[str]:
    """The paths that are below the project's folder, from there."""
    relative = {os.path.relpath(path, TOP) for path in paths}
    return sorted(path for path in relative if not path.startswith(".."))


def note() -> None:
    """Write the file."""
    modules = {getattr(module, "__file__", None) or "" for module in sys.modules.values()}
    content = {
        "command": COMMAND,
        "modules": [path for path in inside(modules - {""}) if path.startswith("workflow/")],
        "read": [path for path in inside(read) if path.startswith(PARTS) and not path.endswith(".pyc")],
    }
    name = f"{os.getpid()}-{time.time_ns()}.json"
    with open(os.path.join(str(FOLDER), name), "w", encoding="utf-8") as file:
        json.dump(content, file)


if FOLDER and COMMAND and COMMAND[0].startswith("workflow/"):
    sys.addaudithook(watch)
    atexit.register(note)
