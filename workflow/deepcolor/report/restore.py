"""Restoring an archive: only results, manifests and records go in, and only where none are yet.

An archive may come from anyone. All of it is checked before anything is written: the names and
kinds of its members, where they would lie, their checksums, and that they fit the disk. No code is
taken from it, nor any configuration: such files must be here already, and equal.
"""

import gzip
import os
import shutil
import tarfile
import zlib
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath

from deepcolor import integrity
from deepcolor.errors import DeepColorError, first_line, printable
from deepcolor.files import replacing, sha256
from deepcolor.messages import REMEDIES
from deepcolor.report.archive import CODE, SUMS, HashingReader, Layout, code_files

# Bytes that are read at once, and that a header may have.
MAX_PIECE_BYTES = 2**18
# Of which names and checksums are kept in memory.
MAX_FILES = 10**6
# What tarfile and gzip raise for what is no archive, or a broken one.
BROKEN = (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, OverflowError, RecursionError)


def unpack(archive: Path, project: Path, layout: Layout) -> int:
    """Put the results of an archive into a project, with their times; equal files are kept.

    Every file appears whole, so that the same call continues after an interruption.

    Args:
        archive: File that `archive.pack` has written, or that claims to be one.
        project: Folder of the same project, in the same state.
        layout: Where results and data are in the project.

    Returns:
        The number of files that were written.

    Raises:
        DeepColorError: The archive is broken or holds what no archive may, the project's code is
            different, or there are other results.
        OSError: The disk is full, or a folder is read-only.
    """
    check = _Check(archive, project, layout)
    try:
        with closing(_entries(archive)) as entries:
            for entry, content in entries:
                check.add(entry, content)
        new = check.new_files()
        with closing(_entries(archive)) as entries:
            for entry, content in entries:
                if entry.name in new:
                    _write(project / entry.name, entry, content, check.digests[entry.name])
    except BROKEN as error:
        if getattr(error, "errno", None) in REMEDIES:
            raise
        raise DeepColorError(
            f"{archive} cannot be unpacked ({first_line(error)}); get it again"
        ) from error
    # What was noted of files that were here before.
    shutil.rmtree(project / integrity.NOTES, ignore_errors=True)
    return len(new)


class _Pieces(gzip.GzipFile):
    """A gzip file of which nothing large is read at once, such as a header of gigabytes."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= MAX_PIECE_BYTES:
            raise tarfile.ReadError("a header is too large")
        return super().read(size)


def _entries(archive: Path) -> Generator[tuple[tarfile.TarInfo, HashingReader], None, None]:
    """Yield the members of an archive with their content; those that are no plain files end it."""
    with _Pieces(archive, "rb") as pieces, tarfile.open(fileobj=pieces, mode="r:") as tar:
        while (entry := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]  # Tarfile would keep them all.
            if tar.pax_headers:  # Kept for all members after it, and copied into each.
                raise _refused(archive, entry, "comes with a global header")
            # Before it is read, as a link would lead to another member.
            if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or entry.issparse():
                raise _refused(archive, entry, "is no plain file")
            if entry.size < 0:
                raise _refused(archive, entry, "has a negative size")
            content = tar.extractfile(entry)
            assert content  # A plain file has one.
            yield entry, HashingReader(content)


def _refused(archive: Path, entry: tarfile.TarInfo, fault: str) -> DeepColorError:
    return DeepColorError(
        f"{archive}: {_shown(entry.name)} {fault}; nothing was restored, get an archive that "
        "make archive wrote"
    )


def _shown(name: str) -> str:
    """Return a name as a message may have it, whatever characters it has and however many."""
    return printable(name)[:200]


class _Check:
    """What is known of an archive whose members are read one after another.

    Attributes:
        digests: SHA-256 checksums of the members by name.
    """

    def __init__(self, archive: Path, project: Path, layout: Layout) -> None:
        self.digests: dict[str, str] = {}
        self._archive, self._project, self._layout = archive, project, layout
        self._code = set(code_files(project))
        self._folders: set[str] = set()
        self._sums: bytes | None = None
        self._needed: Counter[int] = Counter()  # Bytes by file system.

    def add(self, entry: tarfile.TarInfo, content: HashingReader) -> None:
        """Check a member, and read it.

        Raises:
            DeepColorError: It is none that an archive may hold, or does not fit what is here.
        """
        if self._sums is not None:
            raise _refused(self._archive, entry, f"stands behind {SUMS}")
        if entry.name == SUMS:
            # The names that were read determine how long it is.
            if entry.size != sum(67 + len(os.fsencode(name)) for name in self.digests):
                raise _refused(self._archive, entry, "has another size than its members ask for")
            self._sums = b"".join(_pieces(content))
            return
        if fault := self._fault(entry):
            raise _refused(self._archive, entry, fault)
        self._compare(entry)
        for _ in _pieces(content):
            pass
        self.digests[entry.name] = content.digest.hexdigest()
        self._folders.update(map(str, PurePosixPath(entry.name).parents))

    def _fault(self, entry: tarfile.TarInfo) -> str | None:
        """Return why an archive may not hold a member, None if it may.

        Raises:
            DeepColorError: It is code that is not here.
        """
        name, path = entry.name, PurePosixPath(entry.name)
        above = set(map(str, path.parents))
        odd = name != str(path) or path.is_absolute() or ".." in path.parts or not path.parts
        if odd or "\0" in name or "\n" in name:
            return "has no plain path"
        if name in self.digests:
            return "is there twice"
        if name in self._folders or above & self.digests.keys():
            return "is a file and a folder"
        if len(self.digests) == MAX_FILES:
            return f"is more than the {MAX_FILES:,} files that are read"
        if name in self._code:
            return None
        if path.parts[0] in CODE:
            raise self._other_code(name, "is not here")
        if not self._layout.holds(name):
            return (
                "is no result, manifest or record of this configuration (an archive of a preset: "
                "make restore PRESET=…, or CONFIGFILE=…)"
            )
        if entry.mode & 0o7111:
            return "is executable"
        if not 0 <= entry.mtime < 2**33:
            return "has no time that a file can have"
        return None

    def _compare(self, entry: tarfile.TarInfo) -> None:
        """Hold a member's place and size against what is here; the content is not read yet."""
        path = self._project / entry.name
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            self._make_room(path, entry)
        else:
            if not path.is_file() or path.stat().st_size != entry.size:
                raise self._differs(entry.name)

    def _make_room(self, path: Path, entry: tarfile.TarInfo) -> None:
        """Make sure that a new file can be put where it belongs, together with those before it."""
        above = path.parent
        while not above.exists():
            above = above.parent
        if not above.is_dir():
            raise _refused(self._archive, entry, f"would lie in {above}, which is a file")
        real = os.path.realpath(self._project)
        if os.path.realpath(path.parent) != os.path.join(real, *Path(entry.name).parts[:-1]):
            raise DeepColorError(
                f"{self._archive}: {_shown(entry.name)} would be written through a symbolic link; "
                "put a folder in its place, restore, and move the folder then"
            )
        device = above.stat().st_dev
        self._needed[device] += entry.size
        if self._needed[device] > shutil.disk_usage(above).free:
            raise DeepColorError(
                f"{self._archive} needs {self._needed[device] / 1e6:,.0f} MB or more on the disk "
                f"of {above}; free some space and run the same command again"
            )

    def _differs(self, name: str) -> DeepColorError:
        if name in self._code:
            return self._other_code(name, "differs")
        return DeepColorError(f"{_shown(name)} is there and is another; move it, or all results, away")

    def _other_code(self, name: str, how: str) -> DeepColorError:
        return DeepColorError(
            f"{self._archive} was made by other code ({_shown(name)} {how}); restore it in the "
            "version of the project that it was made with"
        )

    def new_files(self) -> set[str]:
        """Return the names of the members that are not here yet, when all have been added.

        Raises:
            DeepColorError: The archive is not as it was written, or another file is here.
        """
        lines = os.fsdecode(self._sums or b"").split("\n")
        listed = {line[66:]: line[:64] for line in lines if line}
        if self.digests != listed or not listed:
            names = self.digests.keys() | listed.keys()
            wrong = [name for name in names if self.digests.get(name) != listed.get(name)]
            raise DeepColorError(
                f"{self._archive} is not as it was written "
                f"({_shown(min(wrong, default='it is empty'))}); get it again"
            )
        here = {name for name in self.digests if (self._project / name).exists()}
        for name in sorted(here, key=lambda name: (name not in self._code, name)):
            if sha256(self._project / name) != self.digests[name]:
                raise self._differs(name)
        return self.digests.keys() - here


def _pieces(content: HashingReader) -> Iterator[bytes]:
    while piece := content.read(MAX_PIECE_BYTES):
        yield piece


def _write(path: Path, entry: tarfile.TarInfo, content: HashingReader, digest: str) -> None:
    """Write a member that was checked, with its time and nobody's rights but ours."""
    with replacing(path) as temporary:
        with open(temporary, "wb") as file:
            shutil.copyfileobj(content, file)
        if content.digest.hexdigest() != digest:
            raise tarfile.ReadError(f"{entry.name} has changed since it was checked")
        temporary.chmod(entry.mode & 0o644 | 0o600)
        os.utime(temporary, (entry.mtime, entry.mtime))
