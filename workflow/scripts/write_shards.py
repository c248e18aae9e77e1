from pathlib import Path

from deepcolor import integrity, script
from deepcolor.data.manifest import offsets_of, read_slice
from deepcolor.data.shard_writer import ShardFiles, write_shard


def main(
    *,
    manifest: Path,
    data_set: str,
    split: str,
    number: int,
    of: int,
    image_size: int,
    shard: Path,
    contents: Path,
    scratch: script.YesOrNo = "no",
) -> None:
    """Write one TFRecord shard of a data set's split.

    Args:
        manifest: Manifest of the data set.
        data_set: Name of the data set.
        split: Split of the data set: training, validation or test.
        number: Number of the shard, from 0.
        of: Number of shards of the split.
        image_size: Side of the images in pixels.
        shard: TFRecord file to write.
        contents: JSON file to write.
        scratch: Whether the shard is written in a folder below TMPDIR and then moved.
    """
    integrity.check([str(offsets_of(manifest))])
    rows = read_slice(manifest, split, number, of)
    with script.scratch_folder(scratch) as folder:
        write_shard(
            ShardFiles(shard, contents),
            rows,
            data_set=data_set,
            size=image_size,
            manifest=manifest,
            scratch=folder,
        )
    print(f"write_shards {data_set}: {shard.name}, {len(rows)} images", flush=True)


if __name__ == "__main__":
    script.run(main)
