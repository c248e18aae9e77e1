"""What no archive may do: hostile members end in one line, before anything is written."""

import gzip
import hashlib
import os
import random
import shutil
import tarfile
import tracemalloc
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from deepcolor.errors import DeepColorError
from deepcolor.report import restore
from deepcolor.report.archive import Layout

CODE = "print(1)"
Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, content: bytes = b"x", **attributes: Any) -> Member:
    """A member of an archive; attributes of the entry are as given."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for key, value in attributes.items():
        setattr(entry, key, value)
    return entry, content


def archive_of(folder: Path, members: Iterable[Member], sums: bytes | None = None) -> Path:
    """An archive of any members, with checksums that are right unless they are given."""
    members = list(members)
    if sums is None:
        lines = [f"{hashlib.sha256(content).hexdigest()}  {entry.name}\n" for entry, content in members]
        sums = "".join(lines).encode("utf-8", "surrogateescape")
    archive = folder / "hostile.tar.gz"
    with tarfile.open(archive, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        for entry, content in [*members, member("SHA256SUMS", sums)]:
            tar.addfile(entry, BytesIO(content))
    return archive


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder, with their content."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A project with code, hidden folders and a result."""
    folder = tmp_path / "here"
    for name in ("Snakefile", "workflow/a.py", ".git/config", "results/report.html"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(CODE)
    return folder


def refused(here: Path, archive: Path, match: str, layout: Layout | None = None) -> None:
    """Make sure that an archive ends in one line, and that nothing is written anywhere."""
    before = files(here.parent)
    with pytest.raises(DeepColorError, match=match) as error:
        restore.unpack(archive, here, layout or Layout())
    assert len(str(error.value).splitlines()) == 1 and str(error.value).isprintable()
    assert files(here.parent) == before


@pytest.mark.parametrize(
    "name",
    [
        "{out}/x", "/{out}/x", "../x", "results/../../x", "results/..", "results//x", "./results/x",
        "results/./x", ".", "results/a\nb",
    ],
)  # fmt: skip
def test_a_path_that_is_not_plain(here: Path, tmp_path: Path, name: str) -> None:
    name = name.format(out=tmp_path)
    refused(here, archive_of(tmp_path, [member(name)]), "has no plain path")


@pytest.mark.parametrize(
    "name",
    [
        ".git/hooks/post-checkout", ".venv/bin/python", ".snakemake/conda/x", ".snakemake/scripts/x.py",
        ".snakemake/iocache/latest.pkl", ".snakemake/metadata/.x", ".snakemake/metadata/a.py",
        "results/.git/config", "results/a/.envrc", "data/a/.x/manifest.csv", "data/a/images/a.png",
        "results/backup-1.safetensors", "GNUmakefile", "conftest.py", "photographs.txt", "mine.yaml",
        ".snakemake/metadata", "data", "results-paper/report.html", "\x1b[31mresults/x",
    ],
)  # fmt: skip
def test_a_name_that_is_no_result(here: Path, tmp_path: Path, name: str) -> None:
    refused(here, archive_of(tmp_path, [member(name)]), "is no result, manifest or record")


@pytest.mark.parametrize("name", ["workflow/json.py", "config.yaml", "rules/a/b.smk", "Dockerfile/x"])
def test_code_that_is_not_here(here: Path, tmp_path: Path, name: str) -> None:
    refused(here, archive_of(tmp_path, [member(name)]), r"made by other code \(.* is not here\)")


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "Snakefile"), (tarfile.LNKTYPE, "none"),
        (tarfile.FIFOTYPE, ""), (tarfile.CHRTYPE, ""), (tarfile.BLKTYPE, ""), (tarfile.DIRTYPE, ""),
        (tarfile.CONTTYPE, ""), (b"Z", ""),
    ],
)  # fmt: skip
def test_what_is_no_plain_file(here: Path, tmp_path: Path, kind: bytes, target: str) -> None:
    entries = [
        member("Snakefile", CODE.encode()),
        member("results/x", b"", type=kind, linkname=target),
    ]
    refused(here, archive_of(tmp_path, entries), "results/x is no plain file")


def test_a_sparse_file(here: Path, tmp_path: Path) -> None:
    headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(10**18)}
    entries = [member("results/x", pax_headers=headers)]
    refused(here, archive_of(tmp_path, entries), "is no plain file")


@pytest.mark.parametrize(
    ("attributes", "match"),
    [
        ({"mode": 0o755}, "is executable"),
        ({"mode": 0o4644}, "is executable"),
        ({"pax_headers": {"mtime": "nan"}}, "has no time"),
        ({"pax_headers": {"mtime": "inf"}}, "has no time"),
        ({"pax_headers": {"mtime": "-1.5"}}, "has no time"),
        ({"pax_headers": {"mtime": "1e30"}}, "has no time"),
    ],
)
def test_odd_attributes(here: Path, tmp_path: Path, attributes: Any, match: str) -> None:
    refused(here, archive_of(tmp_path, [member("results/x", **attributes)]), match)


def test_names_that_collide(here: Path, tmp_path: Path) -> None:
    twice = [member("results/x"), member("results/x", b"y")]
    refused(here, archive_of(tmp_path, twice), "results/x is there twice")
    for names in (("results/x", "results/x/y"), ("results/x/y", "results/x")):
        refused(here, archive_of(tmp_path, map(member, names)), "is a file and a folder")
    refused(here, archive_of(tmp_path, [member("results/report.html/x")]), "html, which is a file")


@pytest.mark.parametrize(
    "name", ["results/out/x", "results/in/x", "results/gone/x", "data/manifest.csv"]
)
def test_links_of_the_project_are_not_followed(here: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (here / "results/out").symlink_to(tmp_path / "elsewhere")
    (here / "results/in").symlink_to(here / "workflow")
    (here / "results/gone").symlink_to(tmp_path / "gone")
    (here / "data").symlink_to(tmp_path / "elsewhere")
    refused(here, archive_of(tmp_path, [member(name)]), "would be written through a symbolic link")


def test_a_link_in_place_of_a_file_is_another_file(here: Path, tmp_path: Path) -> None:
    (here / "results/x").symlink_to(tmp_path / "gone")
    refused(here, archive_of(tmp_path, [member("results/x")]), "is there and is another")


def test_a_size_that_no_disk_has(here: Path, tmp_path: Path) -> None:
    archive = tmp_path / "hostile.tar.gz"
    for size in (2**60, -(2**60)):
        entry, _ = member("results/x")
        entry.size = size
        archive.write_bytes(gzip.compress(entry.tobuf(tarfile.GNU_FORMAT)))
        refused(here, archive, "needs .* MB or more on the disk|has a negative size")


def test_many_files_that_the_disk_has_no_room_for(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = archive_of(tmp_path, [member(f"results/{name}", bytes(600)) for name in "abc"])
    usage = shutil.disk_usage(here)._replace(free=1500)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    refused(here, archive, "needs 0 MB or more on the disk")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1800))
    assert restore.unpack(archive, here, Layout()) == 3


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_large_header_takes_no_memory(here: Path, tmp_path: Path, kind: bytes) -> None:
    entry, _ = member("header", type=kind)
    entry.size = 2**26
    archive = tmp_path / "hostile.tar.gz"
    archive.write_bytes(gzip.compress(entry.tobuf(tarfile.GNU_FORMAT) + bytes(2**26), 1))
    tracemalloc.start()
    refused(here, archive, "a header is too large")
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()


def test_a_long_chain_of_headers(here: Path, tmp_path: Path) -> None:
    entry, content = member("header", b"13 comment=x\n", type=tarfile.XHDTYPE)
    header = entry.tobuf(tarfile.USTAR_FORMAT) + content.ljust(tarfile.BLOCKSIZE, b"\0")
    archive = tmp_path / "hostile.tar.gz"
    archive.write_bytes(gzip.compress(header * 5000))
    refused(here, archive, "cannot be unpacked")


def test_more_files_than_are_read(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "MAX_FILES", 2)
    archive = archive_of(tmp_path, [member(f"results/{name}") for name in "abc"])
    refused(here, archive, "results/c is more than the 2 files")


def test_checksums_that_are_wrong(here: Path, tmp_path: Path) -> None:
    good = f"{hashlib.sha256(b'x').hexdigest()}  results/x\n".encode()
    for sums in (b"", good + good, good * 1000, good[:-1] + b"\xff\n", good[:66] + b"\xff" * 9 + b"\n"):
        match = "SHA256SUMS has another size|is not as it was written"
        refused(here, archive_of(tmp_path, [member("results/x")], sums), match)
    first = archive_of(tmp_path, [member("SHA256SUMS", b""), member("results/x")])
    refused(here, first, "results/x stands behind SHA256SUMS")
    with tarfile.open(first, "w:gz") as tar:
        tar.addfile(member("results/x")[0], BytesIO(b"x"))
    refused(here, first, "is not as it was written")
    with tarfile.open(first, "w:gz"):
        pass
    refused(here, first, "it is empty")


def test_the_folders_are_those_of_the_configuration_that_is_here(here: Path, tmp_path: Path) -> None:
    entries = [member("mine.yaml", b"results: results-mine"), member("results-mine/report.html")]
    archive = archive_of(tmp_path, entries)
    refused(here, archive, "mine.yaml is no result, .*make restore PRESET=")
    layout = Layout.of(
        here, {"results": "results-mine/", "data": "data", "data_sets": {}}, here / "mine.yaml"
    )
    (here / "mine.yaml").write_text("results: results-MINE")
    refused(here, archive, "mine.yaml is there and is another", layout)
    (here / "mine.yaml").write_text("results: results-mine")
    assert restore.unpack(archive, here, layout) == 1
    assert (here / "results-mine/report.html").read_bytes() == b"x"


def test_rights_are_those_of_plain_files(here: Path, tmp_path: Path) -> None:
    modes = {"results/a": 0o666, "results/b": 0o000, "results/c": 0o640}
    entries = [member(name, mode=mode) for name, mode in modes.items()]
    restore.unpack(archive_of(tmp_path, entries), here, Layout())
    found = [(here / name).stat().st_mode & 0o7777 for name in modes]
    assert found == [0o644, 0o600, 0o640]


def test_an_archive_that_changes_while_it_is_read(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = archive_of(tmp_path, [member("results/x")])
    new_files = restore._Check.new_files

    def changed(check: restore._Check) -> set[str]:
        archive_of(tmp_path, [member("results/x", b"y"), member("results/y")])
        return new_files(check)

    monkeypatch.setattr(restore._Check, "new_files", changed)
    with pytest.raises(DeepColorError, match="results/x has changed since it was checked"):
        restore.unpack(archive, here, Layout())
    assert os.listdir(here / "results") == ["report.html"]


def flip(content: bytearray, draw: random.Random) -> None:
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)


def cut(content: bytearray, draw: random.Random) -> None:
    del content[draw.randrange(len(content)) :]


@pytest.mark.parametrize("damage", [flip, cut])
@pytest.mark.parametrize("packed", [True, False])
def test_damaged_archives_end_in_one_line_or_are_whole(
    here: Path, tmp_path: Path, damage: Callable[[bytearray, random.Random], None], packed: bool
) -> None:
    names = [f"results/{name}" for name in ("a", "é" * 90, "c")]
    archive = archive_of(tmp_path, [member(name, name.encode() * 9, mtime=1.5) for name in names])
    whole = archive.read_bytes() if packed else gzip.decompress(archive.read_bytes())
    draw = random.Random(1)
    for _ in range(60):
        content = bytearray(whole)
        damage(content, draw)
        archive.write_bytes(content if packed else gzip.compress(content, 1))
        try:
            restore.unpack(archive, here, Layout())
        except DeepColorError as error:
            assert len(str(error).splitlines()) == 1
            assert os.listdir(here / "results") == ["report.html"]
        else:
            for name in names:
                assert (here / name).read_bytes() == name.encode() * 9
                (here / name).unlink()


def test_global_headers_are_refused(here: Path) -> None:
    """Tarfile keeps them for all members that follow: a small archive would take gigabytes."""
    archive = archive_of(here.parent, [member("results/a.txt", b"a")])
    with tarfile.open(archive, "w:gz", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x"}) as tar:
        for entry, content in (member("results/a.txt", b"a"), member("SHA256SUMS", b"")):
            tar.addfile(entry, BytesIO(content))
    refused(here, archive, "results/a.txt comes with a global header")
