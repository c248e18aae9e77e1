"""Where photographs come from: one file per source, named in `deepcolor.registry`.

Each file has one public function:

    source(seed, *, **options) -> Source

The keyword arguments are the options that an entry under `data_sets:` in config.yaml may set.
"""
