"""Many photographs: several jobs fetch them, and no job and no plan grows with each of them."""

import json
import re
from collections import Counter

import pandas as pd
import pytest
from conftest import PROJECT, Copy
from support.sample_images import picture

MANY = """\
results: results-many
data: data-many
image_size: 32
images_per_range: {in_range}
images_per_shard: {in_shard}
data_sets:
  many: {{source: folder, folder: many, list: many.txt, training: {training}, validation: {validation}}}
compare: {{data_sets: [many]}}
"""
INDEX = "data-many/shards/many-32/index.json"


def configure(copy: Copy, **sizes: int) -> None:
    """Three networks on photographs of a list."""
    copy.write("config.yaml", (PROJECT / "config.yaml").read_text("utf-8"))
    copy.write("many.yaml", MANY.format(**sizes))


def planned(copy: Copy, target: str) -> Counter[str]:
    """The number of jobs by rule that are planned for a target."""
    result = copy.run(f"snakemake --cores 2 --dry-run --configfile many.yaml -- {target}")
    assert result.returncode == 0, result.stdout
    jobs = re.findall(r"^(\w+) +(\d+)$", result.stdout, re.MULTILINE)
    return Counter({name: int(number) for name, number in jobs if name != "total"})


@pytest.mark.slow
def test_a_million_photographs_are_a_thousand_shards_and_as_many_jobs(copy: Copy) -> None:
    configure(copy, in_range=20_000, in_shard=1_000, training=980_000, validation=20_000)
    (copy.folder / "many").mkdir()
    copy.write("many.txt", "\n".join(f"{number:07}.jpg" for number in range(1_000_000)))
    jobs = planned(copy, "all")
    assert (jobs["fetch_photographs"], jobs["write_manifest"]) == (50, 1)
    assert (jobs["write_shards"], jobs["index_shards"]) == (1000, 1)
    # No more than a small study has.
    configure(copy, in_range=20_000, in_shard=1_000, training=90, validation=10)
    small = planned(copy, "all")
    few = ("fetch_photographs", "write_shards")
    assert {name: jobs[name] for name in jobs if name not in few} == {
        name: small[name] for name in small if name not in few
    }


@pytest.fixture
def many(copy: Copy) -> Copy:
    """A copy with 90 photographs on a list, of which 60 are asked for, in ranges of 20."""
    configure(copy, in_range=20, in_shard=25, training=45, validation=15)
    (copy.folder / "many").mkdir()
    for number in range(90):
        picture(number).save(copy.folder / "many" / f"{number}.png")
    copy.write("many.txt", "\n".join(f"{number}.png" for number in range(90)))
    return copy


@pytest.mark.slow
def test_ranges_and_shards_through_the_rules(many: Copy) -> None:
    command = f"snakemake --cores 2 --configfile many.yaml -- {INDEX}"
    result = many.run(command)
    assert result.returncode == 0, result.stdout
    rows = pd.read_csv(many.folder / "data-many/many/manifest.csv")
    assert rows["split"].value_counts().to_dict() == {"training": 45, "validation": 15}
    assert len(list((many.folder / "data-many/many/ranges").glob("*-of-00003.csv"))) == 3
    index = json.loads(many.read(INDEX))
    assert [each["images"] for each in index["splits"]["training"]["shards"]] == [22, 23]
    assert index["splits"]["validation"]["images"] == 15
    assert planned(many, INDEX) == {}
    # The list is what counts, not what lies in the folder.
    picture(90).save(many.folder / "many" / "90.png")
    assert planned(many, INDEX) == {}
    many.write("many.txt", many.read("many.txt") + "\n90.png\n")
    assert planned(many, INDEX)["fetch_photographs"] == 3
    # Of another number of ranges none of these is one.
    many.write("many.yaml", many.read("many.yaml").replace("range: 20", "range: 30"))
    assert planned(many, INDEX)["fetch_photographs"] == 2


def test_a_list_that_is_not_there_is_one_line(many: Copy) -> None:
    (many.folder / "many.txt").unlink()
    result = many.run(f"snakemake --cores 2 --dry-run --configfile many.yaml -- {INDEX}")
    assert result.returncode != 0 and "Traceback" not in result.stdout
    said = "Error: data_sets.many.list: there is no file many.txt; write the path of a photograph"
    assert said in result.stdout
