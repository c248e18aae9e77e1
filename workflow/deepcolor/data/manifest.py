"""The manifest: which photographs a data set holds, one row each.

Beside it lies `manifest.offsets.json`: where in the file some of each split's rows begin, so that a job
reads the rows of its shard and no others. Readers hold no more of a manifest than is asked for.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from pandas.util import hash_array

from deepcolor.cells import guarded, unguarded
from deepcolor.data.order import Order
from deepcolor.errors import DeepColorError
from deepcolor.files import read_json, replacing, write_json
from deepcolor.frames import unguarded_frame, write_frame

# id: unique in the data set; path: of the image file; split: training, validation or test;
# width, height: in pixels; sha256: of the file; source: URL or name in the source;
# group: what belongs together, crops of one photograph or near-duplicates; phash: perceptual hash in
# hexadecimal, "" where none is taken. Texts that look like formulas are guarded, see `cells`.
COLUMNS = [
    "id", "path", "split", "width", "height", "sha256", "source", "license", "credit", "group", "phash",
]  # fmt: skip
HEADER = ",".join(COLUMNS).encode() + b"\n"
ROWS_PER_CHUNK = 50_000  # Rows read at a time, some 30 MB.
ROWS_PER_OFFSET = 256  # Rows of a split from one whose place is known to the next.


def write_manifest(path: str | Path, rows: list[dict[str, Any]], order: Order) -> None:
    """Write rows with the keys of COLUMNS in the order of a data set."""
    write_frame(path, pd.DataFrame(sorted(rows, key=order.key), columns=COLUMNS))


def offsets_of(manifest: Path) -> Path:
    """The file beside a manifest that says where rows begin."""
    return manifest.with_suffix(".offsets.json")


def join_records(manifest: Path, rows: Iterable[tuple[str, bytes]]) -> int:
    """Write a manifest and its offsets from records as they stand in another; the number of records.

    Args:
        manifest: To write.
        rows: Split and record, sorted by split.
    """
    counts: dict[str, int] = {}
    offsets: dict[str, list[int]] = {}
    with replacing(manifest) as temporary, open(temporary, "wb") as file:
        place = file.write(HEADER)
        for split, record in rows:
            count = counts.get(split, 0)
            if count % ROWS_PER_OFFSET == 0:
                offsets.setdefault(split, []).append(place)
            counts[split] = count + 1
            place += file.write(record)
    index = {"bytes": place, "every": ROWS_PER_OFFSET, "rows": counts, "offsets": offsets}
    write_json(offsets_of(manifest), index)
    return sum(counts.values())


def records(file: BinaryIO) -> Iterator[bytes]:
    """The records of a CSV file from where it is, as they stand there; one may have several lines."""
    record = b""
    for line in file:
        record += line
        if record.count(b'"') % 2 == 0:
            yield record
            record = b""


def parse(record: bytes) -> dict[str, str]:
    """The values of a record by column."""
    cells = next(csv.reader([record.decode()]))
    return dict(zip(COLUMNS, map(unguarded, cells), strict=True))


def compose(values: dict[str, str]) -> bytes:
    """The record of values by column."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([guarded(values[column]) for column in COLUMNS])
    return text.getvalue().encode()


def parsed(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The place in bytes and the values of every row of a manifest.

    Raises:
        DeepColorError: The columns are others.
    """
    with open(path, "rb") as file:
        header = file.readline()
        if header != HEADER:
            raise _without(path, header.decode(errors="replace").strip().split(","))
        place = len(header)
        for record in records(file):
            yield place, parse(record)
            place += len(record)


def row_at(path: Path, place: int) -> dict[str, str]:
    """The values of the row that begins at a place, in bytes."""
    with open(path, "rb") as file:
        file.seek(place)
        return parse(next(records(file)))


def unreadable(path: str, error: Exception, manifest: Path) -> DeepColorError:
    """The error for a photograph of a manifest that cannot be read any more."""
    return DeepColorError(f"{path} cannot be read ({error}); {refetch(manifest)}")


def refetch(manifest: Path) -> str:
    """What to do for the photographs of a manifest to be fetched again, half a sentence."""
    return (
        f"delete {manifest} and the folder {manifest.parent / 'ranges'} and run the same command "
        "again, to fetch it"
    )


def read_manifest(
    path: str | Path, columns: Sequence[str] | None = None, split: str | None = None
) -> pd.DataFrame:
    """Read a manifest, or some columns or one split of it; the rest is in memory at no time.

    Raises:
        DeepColorError: A column is missing.
    """
    wanted = list(columns or COLUMNS)
    parts = [
        (part if split is None else part[part["split"] == split])[wanted]
        for part in chunks(path, wanted if split is None else {*wanted, "split"})
    ]
    return pd.concat(parts, ignore_index=True)


def chunks(path: str | Path, columns: Iterable[str]) -> Iterator[pd.DataFrame]:
    """Some columns of a manifest, so many rows at a time; at least one frame, which may be empty.

    Raises:
        DeepColorError: A column is missing.
    """
    with open(path, "rb") as file:
        header = file.readline().decode(errors="replace").strip().split(",")
    if set(COLUMNS) - set(header):
        raise _without(path, header)
    reader: Any = pd.read_csv(
        path, dtype=str, keep_default_na=False, usecols=list(columns), chunksize=ROWS_PER_CHUNK
    )
    with reader:
        for part in reader:
            yield _typed(part)


def distinct(texts: Iterable[pd.Series]) -> int:
    """The number of distinct texts, of which 64 bits each are in memory, not the texts."""
    found = np.empty(0, np.uint64)
    for part in texts:
        found = np.union1d(found, hash_array(part.to_numpy(object), categorize=False))
    return len(found)


def read_slice(path: Path, split: str, number: int, of: int) -> pd.DataFrame:
    """One of equal parts of a split's rows, of which alone the file is read.

    Args:
        path: Of the manifest.
        split: Of which rows are read.
        number: Of the part, from 0.
        of: Parts.

    Raises:
        DeepColorError: The manifest is not the one whose offsets lie beside it.
    """
    index = read_json(offsets_of(path))
    if index["bytes"] != path.stat().st_size:
        raise DeepColorError(
            f"{path} is not as it was written; delete it and run the same command again"
        )
    count = index["rows"].get(split, 0)
    start, stop = count * number // of, count * (number + 1) // of
    content = io.BytesIO(HEADER)
    content.seek(0, io.SEEK_END)
    if start < stop:
        with open(path, "rb") as file:
            file.seek(index["offsets"][split][start // index["every"]])
            skipped = start % index["every"]
            content.writelines(islice(records(file), skipped, skipped + stop - start))
    content.seek(0)
    rows = _typed(pd.read_csv(content, dtype=str, keep_default_na=False))
    if len(rows) != stop - start or any(rows["split"] != split):
        raise DeepColorError(
            f"{path} is not as it was written; delete it and run the same command again"
        )
    return rows


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = {key: int for key in ("width", "height") if key in frame}
    return unguarded_frame(frame.astype(numbers))


def _without(path: str | Path, header: Sequence[str]) -> DeepColorError:
    missing = [column for column in COLUMNS if column not in header]
    return DeepColorError(
        f"{path} has no column {', '.join(sorted(missing))}; delete it to have it written again"
    )
