"""The command `deepcolor`: what is done beside the pipeline."""

import argparse
import io
import os
import sys
from pathlib import Path
from typing import NoReturn

from deepcolor import script
from deepcolor.cli import app, evaluate
from deepcolor.cli import colorize as colorize
from deepcolor.cli.arguments import port
from deepcolor.errors import shown


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
        super().error(shown(message))


def _main() -> None:
    parser = _Parser(prog="deepcolor", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    colorize.add_colorize(commands.add_parser("colorize", help="colorize photographs of your own"))
    colorize.add_inspect(commands.add_parser("inspect", help="say whether a file was colorized"))
    evaluate.add_evaluate(commands.add_parser("evaluate", help="score a network on color photographs"))
    app.add_app(commands.add_parser("app", help="a page to try networks on pictures"))
    _add_study(commands.add_parser("study", help="the user study: serve, export, backup, import"))
    args = parser.parse_args()
    if "umask" in args:
        os.umask(args.umask)
    args.run(args)


def _add_study(parser: argparse.ArgumentParser) -> None:
    from deepcolor.study import import_answers

    parser.description = "The user study; `make study` draws its material."
    # People's answers are nobody's on the machine but who collects them.
    parser.set_defaults(umask=0o077)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve the study's pages, and keep the answers")
    _add_places(serve)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    serve.add_argument("--port", type=port, default=8000, help="0 for any free one (%(default)s)")
    serve.add_argument(
        "--public-url",
        default="",
        metavar="URL",
        help="https://example.org/study, where a web server with https passes requests on",
    )
    serve.add_argument(
        "--simulated", action="store_true", help="a rehearsal: mark every answer as simulated"
    )
    serve.set_defaults(run=_serve)
    export = commands.add_parser("export", help="write the answers as CSV, also while serving")
    _add_places(export)
    export.add_argument("--output", type=Path, help="CSV file to write (STUDY/answers.csv)")
    export.set_defaults(run=_export)
    backup = commands.add_parser("backup", help="copy the study's file, also while serving")
    backup.add_argument("copy", type=Path, metavar="FILE", help="the copy; an earlier one is replaced")
    _add_places(backup)
    backup.set_defaults(run=_backup)
    bring = commands.add_parser("import", help="bring in answers that were collected elsewhere")
    import_answers.add_arguments(bring)
    bring.set_defaults(run=import_answers.run)


def _add_places(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--study", type=Path, default=Path("results/study"), help="the study's folder (%(default)s)"
    )
    parser.add_argument(
        "--database", type=Path, metavar="FILE", help="with the answers (STUDY/answers.sqlite)"
    )


def _database(args: argparse.Namespace) -> Path:
    return args.database or args.study / "answers.sqlite"


def _serve(args: argparse.Namespace) -> None:
    from deepcolor.study.server import serve

    serve.serve(
        args.study,
        _database(args),
        host=args.host,
        port=args.port,
        public_url=args.public_url,
        simulated=args.simulated,
    )


def _export(args: argparse.Namespace) -> None:
    from deepcolor.study.server import export

    output = args.output or args.study / "answers.csv"
    print(f"{export.export(_database(args), output)} answers: {shown(output)}", flush=True)


def _backup(args: argparse.Namespace) -> None:
    from deepcolor.study.server import export

    print(f"{export.backup(_database(args), args.copy)} answers: {shown(args.copy)}", flush=True)


if __name__ == "__main__":
    main()
