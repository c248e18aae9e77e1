"""Files of the configuration, `--config` and folders: what is read, and what is refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from deepcolor.config import configuration
from deepcolor.config.folders import normalized_folders
from deepcolor.config.yaml_files import MAX_DEPTH, read_file
from deepcolor.errors import DeepColorError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{name}'] * 10)}]\n"
    for name, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"seed: 0\0\n", ": not valid YAML: "),
        ("title: é".encode("latin-1"), ": not UTF-8; save it"),
        ("seed: 0".encode("utf-16"), ": not UTF-8; save it"),
        (b"training:\n\tepochs: [1]\n", ", line 2: not valid YAML: .*; indent with spaces, not tabs"),
        (b"- a\n- b\n", ": no keys; "),
        (b"", ": no keys; "),
        (b"# nothing\n", ": no keys; "),
        (b"text\n", ": no keys; "),
        (b'a: 0\nseed: !!python/object/apply:os.system ["false"]\n', ", line 2: not valid YAML: "),
        (b"seed: 0\n---\nseed: 1\n", ", line 2: not valid YAML: "),
        (b"seed: !!bool x\n", ": not valid YAML: "),
        (b"seed: " + b"1" * 5000, ": not valid YAML: "),
        (b"training:\n  epochs: [1]\n  epochs: [2]\n", ", line 3: duplicate key 'epochs'; keep one"),
        (b'{"seed": 1, "seed": 2}', ": duplicate key 'seed'; keep one"),
        (b"title: " + b"[" * 5000 + b"]" * 5000, f": more than {MAX_DEPTH} maps and lists"),
        (b'{"title": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", f": more than {MAX_DEPTH} maps and"),
        (b"title: &a [*a]\n", f": more than {MAX_DEPTH} maps and lists"),
        (BOMB.encode(), ": more than 100,000 values"),
        (b"__use_yte__: true\n?print(1): 2\n", ": unknown key '__use_yte__'"),
    ],
)
def test_bad_file_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(DeepColorError, match=f"^{path}{message}") as caught:
        read_file(path)
    assert "\n" not in str(caught.value)


def test_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeepColorError, match=f"^{tmp_path}: cannot be read "):
        read_file(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_file_is_read_whatever_its_line_ends_and_indentation(tmp_path: Path, encoding: str) -> None:
    expected = {"title": "é", "training": {"epochs": [1, 2]}}
    for text in (
        'title: "é"\r\ntraining:\r\n  epochs: [1, 2]\r\n',
        json.dumps(expected),
        "title: é\ntraining: &shared\n  <<: {epochs: [3]}\n  epochs: [1, 2]\n",
    ):
        (tmp_path / "good").write_bytes(text.encode(encoding))
        assert read_file(tmp_path / "good") == expected
    (tmp_path / "tabs").write_text(json.dumps(expected, indent="\t"), encoding="utf-8")
    assert read_file(tmp_path / "tabs") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training: {learning_rate: .nan}", "^training.learning_rate: nan is not a finite number"),
        ("training: {learning_rate: -.inf}", "^training.learning_rate: -inf is not a finite number"),
        ("training: {learning_rate: 1.0e+400}", "^training.learning_rate: inf is not a finite number"),
        ("training: {learning_rate: 1e400}", "^training.learning_rate: '1e400' is not of type 'number'"),
        ("models: {unet: {architecture: unet, dropout: .nan}}", "^models.unet.dropout: nan is not"),
        ("training: {epochs: [.nan]}", "^training.epochs.0: nan is not a finite number"),
        ("training: {epochs: [true]}", "^training.epochs.0: True is not of type 'integer'"),
        ("seed: true", "^seed: True is not of type 'integer'"),
        ("title: 2024-01-01", "^title: YAML reads '2024-01-01' as a date; put it in quotes"),
        ('title: "a\\0b"', "^title: .* holds a character that is not text"),
        ('title: "a\\ud800b"', "^title: .* holds a character that is not text"),
        ("{study: {on: 1}}", "^study.YAML does not read the key 'True' as text"),
        (
            "data_sets: {many: {source: photographs, training: 1000000000000, validation: 1}}",
            "^data_sets.many.training: 1000000000000 is greater than the maximum",
        ),
        (
            "{data_sets: {many: {source: photographs, training: 90000000, validation: 1}},"
            " images_per_shard: 512}",
            "^images_per_shard: 512 is too small .* 175,782 parts, .* set it to at least 9001$",
        ),
        ("training: {epochs: [1000000000000]}", "^training.epochs.0: .* greater than the maximum"),
        ('results: ""', "^results: '' names no folder; write one without "),
        ("results: 'a{run}'", "^results: .* names no folder; write one without "),
        ('data: "a\\nb"', "^data: .* names no folder; write one without "),
    ],
)
def test_bad_value_is_refused(text: str, message: str) -> None:
    with pytest.raises(DeepColorError, match=message):
        configuration.complete(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"training": {"epochs": ["1"]}}, {"training": {"epochs": [1]}}),
        ({"training": {"learning_rate": "0.002"}}, {"training": {"learning_rate": 0.002}}),
        ({"training": {"xla": "false"}}, {"training": {"xla": False}}),
        ({"training": {"xla": "auto"}}, {"training": {"xla": "auto"}}),
        ({"colorize": {"folder": "null"}}, {"colorize": {"folder": None}}),
        ({"colorize": {"folder": "2024"}}, {"colorize": {"folder": "2024"}}),
        ({"study": {"contact": "1", "runs": ["1"]}}, {"study": {"contact": "1", "runs": ["1"]}}),
        ({"compare": {"models": ["1"]}}, {"compare": {"models": ["1"]}}),
        (
            {"models": {"a": {"filters": ["4", "8"], "weights": "none", "training": {"seeds": ["1"]}}}},
            {"models": {"a": {"filters": [4, 8], "weights": "none", "training": {"seeds": [1]}}}},
        ),
        (
            {"models": {"a": {"own": "0.5", "layers": [{"width": "3", "kind": "conv"}]}}},
            {"models": {"a": {"own": 0.5, "layers": [{"width": 3, "kind": "conv"}]}}},
        ),
        ({"data_sets": {"a": {"revision": "123"}}}, {"data_sets": {"a": {"revision": "123"}}}),
        ({"training": {"epochs": ["one"]}}, {"training": {"epochs": ["one"]}}),
        ({"training": {"optimizer": "adam"}, "seed": 3}, {"training": {"optimizer": "adam"}, "seed": 3}),
    ],
)
def test_texts_of_the_command_line_are_read_as_the_schema_asks(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert json.dumps(configuration.read_arguments(given)) == json.dumps(expected)


@pytest.mark.parametrize(
    ("folder", "plain"),
    [
        ("x/", "x"),
        ("./x", "x"),
        ("x//y/./", "x/y"),
        ("/tmp/x/", "/tmp/x"),
        ("//tmp/x", "/tmp/x"),
        ("../x", "../x"),
        ("my results", "my results"),
    ],
)
def test_folders_are_written_plainly(folder: str, plain: str) -> None:
    assert configuration.complete({"results": folder})["results"] == plain


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ({"results": "."}, "^results: '.' holds the project itself"),
        ({"results": ".."}, "^results: '..' holds the project itself"),
        ({"data": "/"}, "^data: '/' holds the project itself"),
        ({"results": "workflow/x"}, "^results: 'workflow/x' holds the project itself"),
        ({"results": "~/x"}, "^results: '~/x' begins with ~"),
        ({"results": "-x"}, "^results: '-x' begins with -"),
        ({"results": "x/../y"}, "^results: 'x/../y' has .. after a folder"),
        ({"results": "data"}, "^results: 'data' is the folder of 'data'"),
        ({"results": "x", "data": "x/y"}, "^data: 'x/y' is inside the folder of 'results'"),
        ({"results": "data/x"}, "^results: 'data/x' is inside the folder of 'data'"),
        ({"data": "x", "cache": "x/"}, "^data: 'x' is the folder of 'cache'"),
    ],
)
def test_folders_that_would_mix_are_refused(folders: dict[str, str], message: str) -> None:
    with pytest.raises(DeepColorError, match=message):
        configuration.complete(folders)


def test_folders_are_compared_behind_their_links(tmp_path: Path) -> None:
    for name in ("results", "data"):
        (tmp_path / name).symlink_to(tmp_path / "same")
    links = {name: str(tmp_path / name) for name in ("results", "data")}
    with pytest.raises(DeepColorError, match="is the folder of 'data'"):
        normalized_folders(links)
    (tmp_path / "data").unlink()
    assert normalized_folders(links) == links
