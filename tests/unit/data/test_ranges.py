"""Data sets that are fetched in ranges: put together they are one, whoever fetched which first."""

import json
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest
from deepcolor.data import manifest
from deepcolor.data.manifest import read_manifest, read_slice
from deepcolor.data.merge import merge_ranges
from deepcolor.data.order import Order
from deepcolor.data.quality import Checks
from deepcolor.data.ranges import Range
from deepcolor.data.sources import fiftyone, huggingface
from deepcolor.data.sources.base import Candidate, Request, Source
from deepcolor.data.sources.folder import folder
from deepcolor.errors import DeepColorError
from deepcolor.files import read_json
from support.range_helpers import fetch_ranges
from support.sample_images import jpeg, picture

CHECKS = Checks(min_side=32, min_chroma=1.5, toned=False, near_duplicates=6)
COUNTS = {"training": 60, "validation": 20, "test": 10}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 photographs; of every fifth a copy and of every fourth a smaller one; some are broken."""
    place = tmp_path_factory.mktemp("photographs")
    for number in range(120):
        (place / f"sub{number % 3}").mkdir(exist_ok=True)
        content = jpeg(number)
        (place / f"sub{number % 3}" / f"{number}.jpg").write_bytes(content)
        if number % 5 == 0:
            (place / f"{number}-copy.jpg").write_bytes(content)
        if number % 4 == 0:
            picture(number).resize((80, 60)).save(place / f"{number}-small.png")
        if number % 30 == 0:
            (place / f"{number}-broken.jpg").write_bytes(content[:500])
    return place


@pytest.fixture(scope="module")
def joined(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("joined") / "d"
    fetch_ranges(folder, COUNTS, place, 4, checks=CHECKS, folder=str(photographs))
    return place


def number_of(rows: pd.DataFrame) -> "pd.Series[int]":
    """Which photograph each row is a version of."""
    return rows["id"].str.extract(r"(\d+)[^/]*$")[0].astype(int)


def test_one_range_is_the_manifest(photographs: Path, tmp_path: Path) -> None:
    fetch_ranges(folder, COUNTS, tmp_path, 1, checks=CHECKS, folder=str(photographs))
    rows = (tmp_path / "ranges" / "00000-of-00001.csv").read_bytes()
    assert (tmp_path / "manifest.csv").read_bytes() == rows
    rejected = (tmp_path / "ranges" / "00000-of-00001.rejected.csv").read_bytes()
    assert (tmp_path / "rejected.csv").read_bytes() == rejected
    about = read_json(tmp_path / "data_set.json")
    assert about["delivered"] == about["asked"] == COUNTS
    assert sum(about["rejected"].values()) == len(pd.read_csv(tmp_path / "rejected.csv"))


def test_ranges_give_full_counts_and_no_photograph_twice(joined: Path) -> None:
    rows = read_manifest(joined / "manifest.csv")
    assert rows["split"].value_counts().to_dict() == COUNTS
    assert rows["id"].is_unique and rows["sha256"].is_unique
    assert list(rows["split"]) == sorted(rows["split"])
    names = ("0/d/" + rows["id"]).map(lambda name: sha256(name.encode()).hexdigest())
    assert all(part.is_monotonic_increasing for _, part in names.groupby(rows["split"]))
    # Copies were in different ranges, as chance would have it.
    said = pd.read_csv(joined / "rejected.csv")
    of_ranges = [pd.read_csv(path) for path in (joined / "ranges").glob("*.rejected.csv")]
    assert len(said) > sum(map(len, of_ranges))
    assert not set(said["id"]) & set(rows["id"])


def test_near_duplicates_of_different_ranges_are_kept_apart_and_grouped(joined: Path) -> None:
    rows = read_manifest(joined / "manifest.csv")
    of_photographs = rows.groupby(number_of(rows))
    assert (of_photographs["split"].nunique() == 1).all()
    assert (of_photographs["group"].nunique() == 1).all()
    twins = int((of_photographs.size() - 1).sum())
    assert read_json(joined / "data_set.json")["near_duplicates"] == twins > 0


@pytest.mark.parametrize(("order", "threads"), [([3, 1, 0, 2], 1), ([2, 3, 1, 0], 4)])
def test_the_order_of_ranges_and_the_threads_do_not_count(
    photographs: Path, joined: Path, tmp_path: Path, order: list[int], threads: int
) -> None:
    fetch_ranges(
        folder, COUNTS, tmp_path / "d", 4,
        checks=CHECKS, order=order, threads=threads, folder=str(photographs),
    )  # fmt: skip
    for name in ("manifest.csv", "manifest.offsets.json", "rejected.csv", "data_set.json"):
        assert (tmp_path / "d" / name).read_bytes() == (joined / name).read_bytes()


def test_others_make_up_for_a_short_range(photographs: Path, tmp_path: Path) -> None:
    def uneven(request: Request) -> Source:
        whole = folder(request, folder=str(photographs))
        few = 25 if request.range == 1 else None
        return Source(lambda: iter([*whole.candidates()][:few]), "1", "", "")

    fetch_ranges(uneven, COUNTS, tmp_path, 3, checks=CHECKS)
    assert read_manifest(tmp_path / "manifest.csv")["split"].value_counts().to_dict() == COUNTS
    short = read_manifest(tmp_path / "ranges" / "00001-of-00003.csv")
    assert len(short) < 30 and not any(short["split"] == "")


@pytest.mark.parametrize("of", [2, 3, 5, 6, 7])
def test_a_reserve_that_holds_copies_and_near_duplicates(
    photographs: Path, tmp_path: Path, of: int
) -> None:
    counts = {"training": 75, "validation": 30, "test": 14}
    fetch_ranges(folder, counts, tmp_path, of, checks=CHECKS, folder=str(photographs))
    rows = read_manifest(tmp_path / "manifest.csv")
    assert rows["split"].value_counts().to_dict() == counts
    assert rows["sha256"].is_unique
    of_photographs = rows.groupby(number_of(rows))
    assert (of_photographs["split"].nunique() == 1).all()
    twins = int((of_photographs.size() - 1).sum())
    assert read_json(tmp_path / "data_set.json")["near_duplicates"] == twins


@pytest.mark.parametrize("name", ["00001-of-00003.csv", "00002-of-00003.rejected.csv"])
def test_a_range_that_was_altered_is_not_joined(photographs: Path, tmp_path: Path, name: str) -> None:
    fetch_ranges(folder, COUNTS, tmp_path, 3, checks=CHECKS, folder=str(photographs))
    path = tmp_path / "ranges" / name
    path.write_bytes(path.read_bytes().rpartition(b"\n")[0].rpartition(b"\n")[0] + b"\n")
    with pytest.raises(DeepColorError, match=rf"{name} is not as it was written .* delete it and run"):
        merge_ranges(tmp_path.name, COUNTS, tmp_path, 0, ranges=3, distance=6)


def test_facts_of_a_range_that_were_altered_are_not_joined(photographs: Path, tmp_path: Path) -> None:
    fetch_ranges(folder, COUNTS, tmp_path, 1, checks=CHECKS, folder=str(photographs))
    path = tmp_path / "ranges" / "00000-of-00001.json"
    facts = read_json(path)
    for change in ({"rows": facts["rows"] - 1}, {"terms": "Free."}, {"sha256": facts["sha256"][:2]}):
        path.write_text(json.dumps({**facts, **change}))
        with pytest.raises(DeepColorError, match=r"00001.json is not as it was written .* delete it"):
            merge_ranges(tmp_path.name, COUNTS, tmp_path, 0, ranges=1, distance=6)


def test_a_license_of_several_lines_is_one(photographs: Path, tmp_path: Path) -> None:
    fetch_ranges(
        folder, COUNTS, tmp_path, 2, checks=CHECKS, folder=str(photographs), license="a\rb\r\nc\nd"
    )
    assert set(read_manifest(tmp_path / "manifest.csv")["license"]) == {"a b  c d"}


def test_too_few_are_counted_over_all_ranges(photographs: Path, tmp_path: Path) -> None:
    counts = {"training": 300, "validation": 50}
    with pytest.raises(DeepColorError) as caught:
        fetch_ranges(folder, counts, tmp_path, 3, checks=CHECKS, folder=str(photographs))
    said = str(caught.value)
    assert "has too few usable photographs: " in said and " of 50 for validation; " in said
    assert "add photographs, or raise 'images_per_range'" in said and "\n" not in said
    listed = len(pd.read_csv(tmp_path / "rejected.csv"))
    assert f"{listed} rejected, listed in {tmp_path / 'rejected.csv'}" in said


def test_other_data_sets_are_known_in_every_range(
    photographs: Path, joined: Path, tmp_path: Path
) -> None:
    counts = {"training": 20, "validation": 5}
    others = [joined / "manifest.csv"]
    for number in range(200, 230):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / f"{number}.jpg").write_bytes(jpeg(number))
    taken = read_manifest(joined / "manifest.csv")
    for path in taken["path"].head(10):
        (tmp_path / "mine" / f"again-{Path(path).name}").write_bytes(Path(path).read_bytes())
    fetch_ranges(
        folder, counts, tmp_path / "e", 2, checks=CHECKS, others=others, folder=str(tmp_path / "mine")
    )
    rows = read_manifest(tmp_path / "e" / "manifest.csv")
    assert len(rows) == 25 and not set(rows["sha256"]) & set(taken["sha256"])
    reasons = pd.read_csv(tmp_path / "e" / "rejected.csv")["reason"]
    assert set(reasons) <= {f"duplicate of d/{id}" for id in taken["id"]} and len(reasons)


@pytest.mark.parametrize("total", [1, 3, 7])
def test_every_file_of_a_folder_is_in_one_range(photographs: Path, total: int) -> None:
    found = [
        each.id
        for number in range(total)
        for each in folder(Request(0, 9, Path(), number, total), folder=str(photographs)).candidates()
    ]
    files = {path.relative_to(photographs).as_posix() for path in photographs.rglob("*.*")}
    assert len(found) == len(files) and set(found) == files


def test_a_list_stands_for_the_folder_in_any_order(photographs: Path, tmp_path: Path) -> None:
    request = Request(0, 9, Path())
    walked = list(folder(request, folder=str(photographs)).candidates())
    names = sorted((each.id for each in walked), reverse=True)
    lists = tmp_path / "list.txt"
    lists.write_text("\r\n".join(["", *names, f"./{names[0]}"]))
    assert list(folder(request, folder=str(photographs), list=str(lists)).candidates()) == walked


def test_what_a_list_has_wrong_is_rejected_by_name(photographs: Path, tmp_path: Path) -> None:
    lists = tmp_path / "list.txt"
    good = [path.relative_to(photographs).as_posix() for path in photographs.glob("sub0/*.jpg")]
    lists.write_text("\n".join([*good, "sub0/gone.jpg", "../outside.jpg", "/etc/passwd"]))
    counts = {"training": 30, "validation": 5}
    fetch_ranges(folder, counts, tmp_path, 1, checks=CHECKS, folder=str(photographs), list=str(lists))
    ids = set(read_manifest(tmp_path / "manifest.csv")["id"])
    rejected = pd.read_csv(tmp_path / "rejected.csv").set_index("id")["reason"]
    assert ids <= set(good)
    assert rejected.get("../outside.jpg", "outside the folder") == "outside the folder"
    assert "gone.jpg" not in " ".join(ids)


def test_a_list_from_another_folder_is_named(photographs: Path, tmp_path: Path) -> None:
    lists = tmp_path / "list.txt"
    names = [path.relative_to(photographs.parent).as_posix() for path in photographs.rglob("*.jpg")]
    lists.write_text("\n".join(names))
    source = folder(Request(0, 5, Path()), folder=str(photographs), list=str(lists))
    with pytest.raises(DeepColorError, match="list.txt: none of the first .* such as .*png"):
        source.needs()


def test_ranges_of_the_hub_draw_different_parts() -> None:
    for parts, wanted in ((1000, 100), (40, 40), (50, 3)):
        whole = huggingface.draw_parts(parts, wanted, Request(0, 1, Path()))
        ranges = [huggingface.draw_parts(parts, wanted, Request(0, 1, Path(), n, 4)) for n in range(4)]
        assert sorted(part for batch in whole for part in batch) == list(range(parts))
        assert sorted(part for each in ranges for batch in each for part in batch) == list(range(parts))
        # What one job would have read first, four read first.
        assert sorted(part for each in ranges for part in each[0]) == sorted(whole[0])


def test_ranges_of_coco_draw_different_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fiftyone, "_fetch_images", lambda *arguments: None)
    images = [{"id": number, "file_name": f"{number}.jpg", "coco_url": ""} for number in range(500)]
    listing = {"licenses": [], "images": images}

    def ids(number: int, total: int) -> list[str]:
        request = Request(0, 100, tmp_path, number, total)
        return [each.id for each in fiftyone.candidates(tmp_path, listing, "train", request)]

    whole, parts = ids(0, 1), [ids(number, 3) for number in range(3)]
    assert [each[0] for each in parts] == whole[:3]
    assert sorted(id for each in parts for id in each) == sorted(whole)


def test_ranges_that_download_do_not_wait_for_each_other() -> None:
    places = {Request(0, 1, Path(), number, 3).place_in(Path("cache")) for number in range(3)}
    assert len(places) == 3 and Path("cache") not in places
    assert Request(0, 1, Path()).place_in(Path("cache")) == Path("cache")


def test_shares_add_up_and_a_reserve_is_for_several() -> None:
    counts = {"training": 1001, "validation": 7}
    shares = [Range("d", counts, Path(), 0, number, 5).share for number in range(5)]
    for split, count in counts.items():
        assert sum(share[split] for share in shares) == count
    assert all(share[""] > 0 for share in shares)
    assert Range("d", counts, Path(), 0).share == counts
    large = Range("d", {"training": 10**6}, Path(), 0, 7, 20).share
    assert large[""] == 0.02 * large["training"] == 1000


# The manifest


def rows_of(count: int) -> list[dict[str, object]]:
    return [
        {
            "id": f"{number:06}", "path": f"p/{number}",
            "split": "training" if number % 7 else "validation", "width": 1, "height": 2,
            "sha256": sha256(b"%d" % number).hexdigest(), "source": "a, \"b\"",
            "license": "two\nlines" if number % 3 else "", "credit": "", "group": "g", "phash": "",
        }
        for number in range(count)
    ]  # fmt: skip


def write_joined(path: Path, count: int) -> pd.DataFrame:
    manifest.write_manifest(path.with_suffix(".all"), rows_of(count), Order(0, "d"))
    with open(path.with_suffix(".all"), "rb") as file:
        file.readline()
        found = [(manifest.parse(record)["split"], record) for record in manifest.records(file)]
    assert manifest.join_records(path, found) == count
    return read_manifest(path)


@pytest.mark.parametrize("of", [1, 3, 11])
def test_a_slice_is_what_the_whole_would_give(tmp_path: Path, of: int) -> None:
    whole = write_joined(tmp_path / "m.csv", 2000)
    for split, rows in whole.groupby("split"):
        rows = rows.reset_index(drop=True)
        parts = [read_slice(tmp_path / "m.csv", str(split), number, of) for number in range(of)]
        assert pd.concat(parts, ignore_index=True).equals(rows)
        expected = [len(rows) * (number + 1) // of - len(rows) * number // of for number in range(of)]
        assert [len(part) for part in parts] == expected
    assert len(read_slice(tmp_path / "m.csv", "test", 0, 1)) == 0


def test_of_a_slice_alone_the_manifest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    write_joined(path, 4000)
    before = read_slice(path, "training", 3, 6)
    content = bytearray(path.read_bytes())
    first, last = (
        content.index(f"{id},p".encode()) for id in (before["id"].iloc[0], before["id"].iloc[-1])
    )
    room = 60_000  # Rows from the last known place on are passed over.
    content[: first - room] = b"\xff" * (first - room)
    content[last + 1000 :] = b"\xff" * (len(content) - last - 1000)
    path.write_bytes(content)
    assert read_slice(path, "training", 3, 6).equals(before)


def test_a_manifest_that_was_edited_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    write_joined(path, 20)
    path.write_text(path.read_text().replace("p/3", "p/333"))
    with pytest.raises(DeepColorError, match="m.csv is not as it was written; delete it and run"):
        read_slice(path, "training", 0, 1)


def test_columns_and_splits_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = write_joined(tmp_path / "m.csv", 300)
    monkeypatch.setattr(manifest, "ROWS_PER_CHUNK", 16)
    path = tmp_path / "m.csv"
    assert read_manifest(path).equals(whole)
    some = read_manifest(path, ["height", "id"], "validation")
    expected = whole[whole["split"] == "validation"][["height", "id"]].reset_index(drop=True)
    assert some.equals(expected)
    parts = list(manifest.chunks(path, ["id"]))
    assert max(map(len, parts)) == 16 and [*parts[1].index] == [*range(16, 32)]
    assert manifest.distinct(part["id"] for part in parts) == 300
    assert manifest.distinct(part["license"] for part in manifest.chunks(path, ["license"])) == 2


def test_the_candidates_of_a_range_are_examined_once(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1))

    def one(request: Request) -> Source:
        candidate = Candidate("a", tmp_path / "a.jpg")
        return Source(lambda: iter([candidate] if request.range else []), "1", "", "")

    fetch_ranges(one, {"training": 1}, tmp_path / "d", 2, checks=CHECKS)
    facts = [json.loads(path.read_text()) for path in sorted((tmp_path / "d/ranges").glob("*.json"))]
    assert [each["rows"] for each in facts] == [0, 1]
    assert len(read_manifest(tmp_path / "d" / "manifest.csv")) == 1
