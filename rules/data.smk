"""From a source's photographs to TFRecord shards.

    REQUIRES  the data set's source (a package, a folder, a place on the network)
    MAKES     {data}/{data_set}/ranges/*, manifest.csv, manifest.offsets.json and data_set.json, and
              undeclared beside them images/ and rejected.csv; downloads in {cache};
              {data}/shards/{data_set}-{size}/*.tfrecord and index.json

Photographs are fetched by the range, {images_per_range} in one job; the ranges are merged without a look
at a photograph; and each shard is written from its rows of the manifest alone. So no job reads all
photographs, and there are as many jobs as there are ranges and shards.
"""


rule fetch_photographs:
    """Fetch a range of the photographs of a data set."""
    message:
        "Fetch the photographs of {wildcards.data_set}, range {wildcards.number} of {wildcards.total}"
    input:
        others=manifests_before,
        listed=list_of,
    output:
        rows="<data>/{data_set}/ranges/{number}-of-{total}.csv",
        rejected="<data>/{data_set}/ranges/{number}-of-{total}.rejected.csv",
        facts="<data>/{data_set}/ranges/{number}-of-{total}.json",
    wildcard_constraints:
        number=r"\d+",
        total=r"\d+",
    log:
        "<results>/logs/fetch_photographs/{data_set}-{number}-of-{total}.log",
    benchmark:
        "<results>/benchmarks/fetch_photographs/{data_set}-{number}-of-{total}.tsv"
    conda:
        environment_of
    threads: resources.FETCH_THREADS
    resources:
        **job_resources(fetching_resources),
    params:
        code=code_of("fetch_photographs", lambda w: data_set_of(w).lister),
        source=lambda w: data_set_of(w).lister,
        options=lambda w: as_json(data_set_of(w).options),
        images=lambda w: as_json(data_set_of(w).images),
        checks=lambda w: as_json(data_set_of(w).checks),
        seed=config["seed"],
        folder=lambda w, output: Path(output.rows).parent.parent,
        cache=config["cache"],
        listing=listing_of,
    shell:
        r"""
        python workflow/scripts/fetch_photographs.py \
            --data-set {wildcards.data_set:q} \
            --source {params.source:q} \
            --options {params.options:q} \
            --images {params.images:q} \
            --number {wildcards.number:q} \
            --of {wildcards.total:q} \
            --checks {params.checks:q} \
            --others {input.others:q} \
            --seed {params.seed:q} \
            --cache {params.cache:q} \
            --threads {threads} \
            --folder {params.folder:q} \
            2>&1 | tee {log:q}
        """


rule write_manifest:
    """Merge the ranges of a data set into its manifest, without duplicates."""
    message:
        "Write the manifest of {wildcards.data_set}"
    input:
        rows=lambda w: range_files(w, ".csv"),
        rejected=lambda w: range_files(w, ".rejected.csv"),
        facts=lambda w: range_files(w, ".json"),
    output:
        manifest="<data>/{data_set}/manifest.csv",
        offsets="<data>/{data_set}/manifest.offsets.json",
        about="<data>/{data_set}/data_set.json",
    log:
        "<results>/logs/write_manifest/{data_set}.log",
    benchmark:
        "<results>/benchmarks/write_manifest/{data_set}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        **job_resources(lambda w: resources.merging(sum(data_set_of(w).images.values()))),
    params:
        code=code_of("write_manifest"),
        images=lambda w: as_json(data_set_of(w).images),
        ranges=ranges_of,
        seed=config["seed"],
        near_duplicates=lambda w: (data_set_of(w).checks or {}).get("near_duplicates", 0),
        folder=subpath(output.manifest, parent=True),
    shell:
        r"""
        python workflow/scripts/write_manifest.py \
            --data-set {wildcards.data_set:q} \
            --images {params.images:q} \
            --ranges {params.ranges:q} \
            --seed {params.seed:q} \
            --near-duplicates {params.near_duplicates:q} \
            --folder {params.folder:q} \
            2>&1 | tee {log:q}
        """


rule write_shards:
    """Resize photographs and write them as one TFRecord shard."""
    message:
        "Write shard {wildcards.number} of {wildcards.data_set}, {wildcards.split}"
    input:
        manifest="<data>/{data_set}/manifest.csv",
        offsets="<data>/{data_set}/manifest.offsets.json",
    output:
        shard="<data>/shards/{data_set}-{size}/{split}-{number}-of-{total}.tfrecord",
        contents="<data>/shards/{data_set}-{size}/{split}-{number}-of-{total}.json",
    log:
        "<results>/logs/write_shards/{data_set}-{size}-{split}-{number}-of-{total}.log",
    benchmark:
        "<results>/benchmarks/write_shards/{data_set}-{size}-{split}-{number}-of-{total}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    resources:
        **job_resources(
            lambda w: resources.writing_shard(config["images_per_shard"], SIZE, config["scratch"])
        ),
        # No parameter, as for trainings: it changes no byte.
        scratch=SCRATCH,
    params:
        code=code_of("write_shards"),
    shell:
        r"""
        python workflow/scripts/write_shards.py \
            --manifest {input.manifest:q} \
            --data-set {wildcards.data_set:q} \
            --split {wildcards.split:q} \
            --number {wildcards.number:q} \
            --of {wildcards.total:q} \
            --image-size {wildcards.size:q} \
            --scratch {resources.scratch:q} \
            --shard {output.shard:q} \
            --contents {output.contents:q} \
            2>&1 | tee {log:q}
        """


rule index_shards:
    """Check the shards of a data set and write their index."""
    message:
        "Index the shards of {wildcards.data_set}"
    input:
        shards=lambda w: shards_of(w, ".tfrecord"),
        contents=lambda w: shards_of(w, ".json"),
    output:
        index="<data>/shards/{data_set}-{size}/index.json",
    log:
        "<results>/logs/index_shards/{data_set}-{size}.log",
    benchmark:
        "<results>/benchmarks/index_shards/{data_set}-{size}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        **LIGHT,
    params:
        code=code_of("index_shards"),
        shards=lambda w: as_json(shard_counts(data_set_of(w))),
    shell:
        r"""
        python workflow/scripts/index_shards.py \
            --data-set {wildcards.data_set:q} \
            --image-size {wildcards.size:q} \
            --shards {params.shards:q} \
            --index {output.index:q} \
            2>&1 | tee {log:q}
        """
