"""DeepColor: colorization networks, trained and compared.

The library knows nothing of Snakemake: every module can be used from a notebook. This file imports
nothing, so that a job depends only on the modules that it uses.
"""
