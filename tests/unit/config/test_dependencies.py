"""Which code decides what a script does, and in which order packages import."""

import ast
from pathlib import Path

import pytest
from conftest import PROJECT
from deepcolor.config import dependencies
from deepcolor.errors import DeepColorError

LIBRARY = PROJECT / "workflow" / "deepcolor"
# A package imports from itself, and from floors below its own.
FLOORS = [
    {""}, {"config", "imaging", "compute", "web"}, {"data", "models"}, {"training"}, {"evaluation"},
    {"report", "export"}, {"colorize", "study"}, {"cli"},
]  # fmt: skip
FLOOR = {package: number for number, packages in enumerate(FLOORS) for package in packages}


def package_of(module: str) -> str:
    """The package of a module, "" for those at the root."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOOR else ""


def imports(path: Path) -> set[str]:
    """The modules of the library that a file imports, in functions and for types too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
    modules = {".".join(file.relative_to(LIBRARY.parent).with_suffix("").parts) for file in FILES}
    return names & modules


FILES = sorted(path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py")
MODULES = {".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts): path for path in FILES}


def test_packages_import_from_lower_floors_alone() -> None:
    folders = {path.name for path in LIBRARY.iterdir() if (path / "__init__.py").exists()}
    assert folders == FLOOR.keys() - {""}
    wrong = [
        (module, imported)
        for module, path in MODULES.items()
        for imported in imports(path)
        if package_of(imported) != package_of(module)
        and FLOOR[package_of(imported)] >= FLOOR[package_of(module)]
    ]
    assert wrong == []


def test_no_circle_of_files() -> None:
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join([*way, module])
        if module not in done:
            for imported in imports(MODULES[module]):
                visit(imported, (*way, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def test_the_root_has_at_most_twelve_modules() -> None:
    assert len(list(LIBRARY.glob("*.py"))) <= 13  # With __init__.py.


def test_packages_are_empty() -> None:
    for path in LIBRARY.rglob("__init__.py"):
        body = ast.parse(path.read_text("utf-8")).body
        assert len(body) == 1 and isinstance(body[0], ast.Expr), path


# The digest of code.


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that imports one module, which imports another in a function."""
    files = {
        "scripts/work.py": "from deepcolor.a import one\n\none.do()\n",
        "deepcolor/__init__.py": "",
        "deepcolor/messages.py": "",
        "deepcolor/a/__init__.py": '"""A."""\n',
        "deepcolor/a/one.py": "def do():\n    from deepcolor.a import two\n    return two\n",
        "deepcolor/a/two.py": "X = (1 +\n     2)\n",
        "deepcolor/a/three.py": "import deepcolor.a.one\n",
    }
    for name, text in files.items():
        (tmp_path / "workflow" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "workflow" / name).write_text(text)
    monkeypatch.setattr(dependencies, "WORKFLOW", tmp_path / "workflow")
    left_out = {tmp_path / "workflow/deepcolor" / name for name in ("__init__.py", "messages.py")}
    monkeypatch.setattr(dependencies, "LEFT_OUT", left_out)
    return tmp_path / "workflow"


def digest(*modules: str) -> str:
    """The digest as another process would take it."""
    for function in (dependencies.code_digest, dependencies.sources_of, dependencies._code,
                     dependencies._imported, dependencies._files):  # fmt: skip
        function.cache_clear()
    return dependencies.code_digest("work", modules)


def test_sources_are_what_is_imported(code: Path) -> None:
    digest()
    assert dependencies.sources_of("work") == [
        "workflow/deepcolor/a/__init__.py", "workflow/deepcolor/a/one.py",
        "workflow/deepcolor/a/two.py", "workflow/scripts/work.py",
    ]  # fmt: skip
    assert "workflow/deepcolor/a/three.py" in dependencies.sources_of("work", ("deepcolor.a.three:f",))


@pytest.mark.parametrize(
    ("name", "text", "same"),
    [
        ("deepcolor/a/two.py", "X = 1 + 2  # three\n", True),
        ("deepcolor/a/two.py", '"""Two."""\n\nX = 1 + 2\n"""An attribute, documented."""\n', True),
        ("deepcolor/a/two.py", "X = 2 + 1\n", False),
        ("deepcolor/a/two.py", 'X = """1 + 2"""\n', False),
        ("deepcolor/a/one.py",
         'def do():\n    """Do."""\n    from deepcolor.a import two\n\n    return two\n', True),
        ("deepcolor/a/one.py", "def do():\n    return 2\n", False),
        ("deepcolor/a/three.py", "X = 3\n", True),
        ("deepcolor/__init__.py", "def __getattr__(name):\n    return 1\n", True),
        ("deepcolor/a/__init__.py", "import os\n", False),
        ("scripts/work.py", "from deepcolor.a import one\n\none.do(1)\n", False),
        ("deepcolor/messages.py", "WORDS = 'other words'\n", True),
    ],
)  # fmt: skip
def test_the_digest_is_that_of_what_runs(code: Path, name: str, text: str, same: bool) -> None:
    before = digest()
    (code / name).write_text(text)
    assert (digest() == before) == same
    (code / name).write_text("X = 1 +\n")  # No Python: what is no part of the code is not read.
    if name in ("deepcolor/a/three.py", "deepcolor/__init__.py", "deepcolor/messages.py"):
        assert digest() == before
    else:
        with pytest.raises(
            DeepColorError, match=f"^workflow/{name} is not Python .*line 1.*; correct it"
        ):
            digest()


def test_the_words_of_an_error_are_no_code(code: Path) -> None:
    digests = []
    for words in ("'no GPU'", "f'there is {1 + 1}'", "'no GPU', 3"):
        (code / "deepcolor/a/two.py").write_text(f"if X:\n    raise DeepColorError({words}) from None\n")
        digests.append(digest())
    (code / "deepcolor/a/two.py").write_text("if Y:\n    raise DeepColorError('no GPU') from None\n")
    assert len(set(digests)) == 1 and digest() not in digests


@pytest.mark.parametrize("line", ["from . import three", "from .three import x", "from .. import a"])
def test_relative_imports_are_followed(code: Path, line: str) -> None:
    (code / "deepcolor/a/two.py").write_text(f"{line}\n")
    digest()
    found = "workflow/deepcolor/a/three.py" in dependencies.sources_of("work")
    assert found == ("three" in line)


def test_the_digest_of_rules_is_without_comments(code: Path) -> None:
    rule = 'rule a:\n    """Make A."""\n    output:\n        "a",  # A.\n    shell:\n        "touch a"\n'
    same = ["# A.\n\n" + rule.replace("Make A", "Makes A"), rule.replace('"a",  # A.', '"a",\n')]
    digests = []
    for text in [rule, *same, rule.replace("touch a", "touch b")]:
        (code.parent / "Snakefile").write_text(text)
        digests.append(dependencies.rules_digest(["Snakefile"]))
    assert digests[0] == digests[1] == digests[2] != digests[3]
