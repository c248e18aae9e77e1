"""The commands `deepcolor study serve`, `export`, `backup` and `import`."""

import argparse
from pathlib import Path

from deepcolor.cli.arguments import port
from deepcolor.errors import printable


def add_study(parser: argparse.ArgumentParser) -> None:
    """Give a parser the commands of `deepcolor study`."""
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
    add_import(bring)


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
    print(f"{export.export(_database(args), output)} answers: {printable(output)}", flush=True)


def _backup(args: argparse.Namespace) -> None:
    from deepcolor.study.server import export

    print(f"{export.backup(_database(args), args.copy)} answers: {printable(args.copy)}", flush=True)


def add_import(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of `deepcolor study import`."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="CSV files to bring in")
    parser.add_argument(
        "--study", type=Path, default=Path("results/study"), help="the study's folder (%(default)s)"
    )
    parser.add_argument("--output", type=Path, help="CSV file to write (STUDY/answers.csv)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the file if it is there, with its answers"
    )
    parser.add_argument(
        "--simulated",
        action="store_true",
        help="mark the answers as made by a program or in a rehearsal",
    )
    parser.add_argument(
        "--real-words",
        type=_words,
        default=["real", "yes"],
        help="a form's answers that take a picture for real, separated by commas (real,yes)",
    )
    parser.add_argument(
        "--colorized-words",
        type=_words,
        default=["colorized", "no"],
        help="a form's answers that take it for colorized (colorized,no)",
    )
    parser.add_argument(
        "--color-vision-column",
        metavar="HEADER",
        help="of a form: whether people see colors as most do, answered by yes, no or unsure",
    )
    parser.set_defaults(run=_import)


def _words(text: str) -> list[str]:
    return [word.strip().casefold() for word in text.split(",") if word.strip()]


def _import(args: argparse.Namespace) -> None:
    from deepcolor.study.import_answers import ImportOptions, import_answers

    options = ImportOptions(
        overwrite=args.overwrite,
        simulated=args.simulated,
        real_words=tuple(args.real_words),
        colorized_words=tuple(args.colorized_words),
        color_vision_column=args.color_vision_column,
    )
    output = args.output or args.study / "answers.csv"
    import_answers(args.files, args.study / "study.json", output, options)
