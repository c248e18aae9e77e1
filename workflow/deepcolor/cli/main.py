"""The command `deepcolor`: what is done beside the pipeline."""

import argparse
import io
import os
import sys
from typing import NoReturn

from deepcolor import script
from deepcolor.cli import app, colorize, evaluate, study
from deepcolor.errors import printable


def main() -> None:
    """Parse the command line and do what it says; see `deepcolor --help`."""
    for stream in (sys.stdout, sys.stderr):  # Names of files may be no text.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        script.run(_main, noted=False)
        sys.stdout.flush()
    except BrokenPipeError:  # Who has read what is printed has had enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors stay one line, whatever is on the command line."""

    def error(self, message: str) -> NoReturn:
        """Print usage and the message, and exit with code 2."""
        super().error(printable(message))


def _main() -> None:
    parser = _Parser(prog="deepcolor", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    colorize.add_colorize(commands.add_parser("colorize", help="colorize photographs of your own"))
    colorize.add_inspect(commands.add_parser("inspect", help="say whether a file was colorized"))
    evaluate.add_evaluate(commands.add_parser("evaluate", help="score a network on color photographs"))
    app.add_app(commands.add_parser("app", help="a page to try networks on pictures"))
    study.add_study(commands.add_parser("study", help="the user study: serve, export, backup, import"))
    args = parser.parse_args()
    if "umask" in args:
        os.umask(args.umask)
    args.run(args)


if __name__ == "__main__":
    main()
