# DeepColor's environment as an image, for Kubernetes (see the README) and for containers elsewhere. The project
# itself is no part of it, but a volume at /deepcolor.
#
#     docker build --tag registry.example.org/deepcolor .
#     docker build --tag registry.example.org/deepcolor --build-arg EXTRAS="kubernetes cuda huggingface" .
FROM python:3.11-slim-bookworm

# The report names the commit that it was made with.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*

# What is installed beside requirements.txt, by the names of the locks: cuda for GPUs, clients of data sources.
ARG EXTRAS=kubernetes
COPY envs/*.txt /opt/envs/
RUN for lock in requirements $EXTRAS; do \
        python -m pip install --no-cache-dir --require-hashes -r "/opt/envs/$lock.txt" || exit 1; \
    done

# Any user can write there; weights that are downloaded stay on the volume.
ENV HOME=/tmp USER=deepcolor KERAS_HOME=/deepcolor/data/cache/keras
# In the place of `pip install --editable .`, and where Snakemake finds the executor of the profile.
ENV PYTHONPATH=/deepcolor/workflow:/deepcolor/workflow/profiles/kubernetes

WORKDIR /deepcolor
RUN chown 1000:1000 /deepcolor
USER 1000:1000
CMD ["snakemake", "--cores", "all", "all"]
