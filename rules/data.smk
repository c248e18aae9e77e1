"""From a source's photographs to TFRecord shards.

    REQUIRES  the data set's source (a package, a folder, a place on the network)
    MAKES     {data}/{data_set}/manifest.csv, data_set.json, and undeclared beside them images/ and
              rejected.csv; downloads in {cache}; {data}/shards/{data_set}-{size}/*.tfrecord and index.json
"""


rule fetch_photographs:
    """Fetch the photographs of a data set and write its manifest."""
    message:
        "Fetch the photographs of {wildcards.data_set}"
    input:
        code=lambda w: code("fetch_photographs", data_set_of(w).lister),
        others=manifests_before,
    output:
        manifest="<data>/{data_set}/manifest.csv",
        about="<data>/{data_set}/data_set.json",
    log:
        "<results>/logs/fetch_photographs/{data_set}.log",
    benchmark:
        "<results>/benchmarks/fetch_photographs/{data_set}.tsv"
    conda:
        environment_of
    threads: 4
    params:
        source=lambda w: data_set_of(w).lister,
        options=lambda w: json.dumps(data_set_of(w).options),
        images=lambda w: json.dumps(data_set_of(w).images),
        checks=lambda w: json.dumps(data_set_of(w).checks),
        seed=config["seed"],
        folder=subpath(output.manifest, parent=True),
        cache=config["cache"],
        # No argument: it makes the job run again when the folder's files have changed.
        listing=lambda w: configuration.fingerprint(data_set_of(w).options.get("folder")),
    shell:
        r"""
        python workflow/fetch_photographs.py \
            --data-set {wildcards.data_set:q} \
            --source {params.source:q} \
            --options {params.options:q} \
            --images {params.images:q} \
            --checks {params.checks:q} \
            --others {input.others:q} \
            --seed {params.seed:q} \
            --cache {params.cache:q} \
            --threads {threads} \
            --folder {params.folder:q} \
            2>&1 | tee {log:q}
        """


rule write_shards:
    """Resize photographs and write them as one TFRecord shard."""
    message:
        "Write shard {wildcards.number} of {wildcards.data_set}, {wildcards.split}"
    input:
        code=code("write_shards"),
        manifest="<data>/{data_set}/manifest.csv",
    output:
        shard="<data>/shards/{data_set}-{size}/{split}-{number}-of-{total}.tfrecord",
        facts="<data>/shards/{data_set}-{size}/{split}-{number}-of-{total}.json",
    log:
        "<results>/logs/write_shards/{data_set}-{size}-{split}-{number}-of-{total}.log",
    benchmark:
        "<results>/benchmarks/write_shards/{data_set}-{size}-{split}-{number}-of-{total}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    shell:
        r"""
        python workflow/write_shards.py \
            --manifest {input.manifest:q} \
            --data-set {wildcards.data_set:q} \
            --split {wildcards.split:q} \
            --number {wildcards.number:q} \
            --of {wildcards.total:q} \
            --image-size {wildcards.size:q} \
            --shard {output.shard:q} \
            --facts {output.facts:q} \
            2>&1 | tee {log:q}
        """


rule index_shards:
    """Check the shards of a data set and write their index."""
    message:
        "Index the shards of {wildcards.data_set}"
    input:
        code=code("index_shards"),
        shards=lambda w: [
            shard
            for split in data_set_of(w).images
            for shard in shards_of(w, split, ".tfrecord")
        ],
        training=lambda w: shards_of(w, "training", ".json"),
        validation=lambda w: shards_of(w, "validation", ".json"),
        test=lambda w: shards_of(w, "test", ".json"),
    output:
        index="<data>/shards/{data_set}-{size}/index.json",
    log:
        "<results>/logs/index_shards/{data_set}-{size}.log",
    benchmark:
        "<results>/benchmarks/index_shards/{data_set}-{size}.tsv"
    conda:
        "../envs/data.yaml"
    shell:
        r"""
        python workflow/index_shards.py \
            --data-set {wildcards.data_set:q} \
            --image-size {wildcards.size:q} \
            --training {input.training:q} \
            --validation {input.validation:q} \
            --test {input.test:q} \
            --index {output.index:q} \
            2>&1 | tee {log:q}
        """
