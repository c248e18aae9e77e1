"""Where photographs come from: one file per source, named in `deepcolor.config.registry`.

Each file has one public function:

    source(request, *, **options) -> Source

The keyword arguments are the options that an entry under `data_sets:` in config.yaml may set. Which
photographs a source yields, and in which order, is a function of the request and the options alone.
Where a request is for one of several ranges, every candidate is in one of them and in no other.

A source whose client is too heavy for everybody has an environment of its own: `envs/{source}.in` and
what `make lock` makes of it. Its module imports the client inside the function, through
`deepcolor.data.sources.client.load`.
"""
