"""Functions from wildcards to the inputs, parameters and resources of rules.

No rules here. A path that names an unknown run, model or data set ends the program with one line.
"""

# Runs that predict color classes, see `models.heads`.
CLASS_RUNS = [run.name for run in RUNS if run.predicts_classes]

# A folder is looked through once, however many jobs ask.
fingerprint = cache(folders.fingerprint)


def run_of(wildcards):
    """The run that a path names; an unknown one ends the program."""
    # Rules ask for it many times: those that there are need no second look at the configuration.
    known = next((run for run in RUNS if run.name == wildcards.run), None)
    try:
        return known or runs.find_run(config, wildcards.run)
    except DeepColorError as error:
        stop(error)


def weights_files(run):
    """The file with the weights that a run begins with; none for ImageNet's and random ones."""
    weights = run.options.get("weights", "none")
    if weights == "bundled":
        return [os.path.relpath(BUNDLED_WEIGHTS)]
    return [] if weights in ("imagenet", "none") else [weights]


def data_set_of(wildcards):
    """The data set that a path names; an unknown one ends the program."""
    known = next((each for each in DATA_SETS if each.name == wildcards.data_set), None)
    try:
        return known or data_sets.find_data_set(config, wildcards.data_set)
    except DeepColorError as error:
        stop(error)


def longest_runs():
    """The longest run of every model, with its first seed."""
    return list({run.model: run for run in RUNS if not run.repeats}.values())


def compared():
    """The names of what is set side by side: the longest run of every model, and external ones."""
    return [run.name for run in longest_runs()] + list(EXTERNAL)


def answers_there():
    """Whether there are answers of people to the user study."""
    return Path(config["results"], "study", "answers.csv").exists()


def files_of_all(file):
    """Return a file of all baselines, runs and external predictions."""
    return (
        [f"<results>/baselines/{name}/{file}" for name in BASELINES]
        + [f"<results>/{run.name}/{file}" for run in RUNS]
        + [f"<results>/{name}/{file}" for name in EXTERNAL]
    )


def runs_of(model):
    """The runs of a model with its first seed, the shortest first; an unknown model ends the program."""
    found = [run for run in RUNS if run.model == model and not run.repeats]
    if not found:
        models = ", ".join(run.model for run in longest_runs())
        stop(f"Unknown model '{model}'. Known models: {models}.")
    return found


def shard_counts(data_set):
    """The number of shards of a data set by split."""
    return {split: data_set.shards(split, config["images_per_shard"]) for split in data_set.images}


def shard_files(suffix, names=None):
    """All shards of all data sets in use or of those named, or the JSON files beside them."""
    return [
        f"<data>/shards/{data_set.name}-{SIZE}/{split}-{number:05}-of-{count:05}{suffix}"
        for data_set in DATA_SETS
        if names is None or data_set.name in names
        for split, count in shard_counts(data_set).items()
        for number in range(count)
    ]


def environment_of(wildcards):
    """The conda environment in which a data set is fetched: its source's own, if it has one."""
    return f"../envs/{data_set_of(wildcards).environment}.yaml"


def training_environment(wildcards):
    """The conda environment in which networks compute: with CUDA's libraries where a GPU is asked for."""
    return f"../envs/{'cuda' if config['accelerator'] == 'cuda' else 'tensorflow'}.yaml"


def indexes(names=None):
    """The indexes of all data sets in use, or of those named."""
    return [
        f"<data>/shards/{data_set.name}-{SIZE}/index.json"
        for data_set in DATA_SETS
        if names is None or data_set.name in names
    ]


def fetching_resources(wildcards):
    """Return the resources to fetch a range."""
    images = sum(data_set_of(wildcards).images.values())
    return resources.fetching(min(images, config["images_per_range"]))


def shards_of(wildcards, suffix):
    """The shards of one data set, or the JSON files beside them."""
    if wildcards.size != str(SIZE):
        stop(f"Unknown size '{wildcards.size}' of shards. The configured image_size is {SIZE}.")
    return shard_files(suffix, [data_set_of(wildcards).name])


def ranges_of(wildcards):
    """The number of ranges in which a data set is fetched."""
    return data_set_of(wildcards).ranges(config["images_per_range"])


def range_files(wildcards, suffix):
    """A file of each range of a data set."""
    total = ranges_of(wildcards)
    return [
        f"<data>/{wildcards.data_set}/ranges/{number:05}-of-{total:05}{suffix}"
        for number in range(total)
    ]


def list_of(wildcards):
    """The list of a data set's photographs, where it has one."""
    return data_set_of(wildcards).options.get("list") or []


def listing_of(wildcards):
    """What changes when the files of a data set's folder change, a rerun trigger; a list tells of its own."""
    options = data_set_of(wildcards).options
    return "" if options.get("list") else fingerprint(options.get("folder"))


def manifests_before(wildcards):
    """The manifests of the data sets among which near-duplicates are looked for, too."""
    before = data_sets.compared_before(config, data_set_of(wildcards))
    return [f"<data>/{data_set.name}/manifest.csv" for data_set in before]


def training_threads(run):
    """The CPU threads to train a run, and to predict with its network."""
    if GPUS and not ON_CLUSTER:
        return THREADS  # Two jobs must not share the GPU.
    batch_pixels = run.training["batch_size"] * SIZE**2
    return resources.training_threads(config["threads"], batch_pixels, THREADS)


def training_resources(run):
    """Return the resources to train a run."""
    used = data_sets.images(config, run.train_on)
    job = resources.TrainingJob(
        run.architecture,
        images=used["training"] + used["validation"],
        epochs=run.epochs - (run.shorter or 0),
        batch_size=run.training["batch_size"],
        image_size=SIZE,
        threads=training_threads(run),
        gpus=GPUS,
        scratch=config["scratch"],
    )
    return resources.training(job)


def without_network(wildcards):
    """Whether predictions come from no network of this project: external ones, and baselines."""
    return wildcards.run in EXTERNAL or wildcards.run in [f"baselines/{name}" for name in BASELINES]


def network_of(wildcards):
    """The network that predicts a run; none for external predictions and baselines."""
    return [] if without_network(wildcards) else f"<results>/{run_of(wildcards).name}/model.keras"


def class_network_of(wildcards):
    """The network of a run that predicts color classes; another one ends the program."""
    run = run_of(wildcards)
    if not run.predicts_classes:
        stop(f"{run.name} predicts no color classes; models.{run.model} needs target: classes")
    return f"<results>/{run.name}/model.keras"


def prediction_resources(wildcards):
    """Return the resources to predict a run."""
    if without_network(wildcards):
        return resources.predicting_without_network(IMAGES["training"], EVALUATED, SIZE)
    return resources.predicting(run_of(wildcards).architecture, EVALUATED, SIZE, GPUS)


def prediction_gpu(wildcards):
    """The GPUs that predict a run: none, as None asks for none, without a network."""
    return 1 if GPUS and not without_network(wildcards) else None


def prediction_threads(wildcards):
    """The threads that predict a run: one, without a network."""
    return 1 if without_network(wildcards) else training_threads(run_of(wildcards))


def prediction_environment(wildcards):
    """The conda environment in which a run is predicted: without CUDA, without a network."""
    return (
        "../envs/tensorflow.yaml" if without_network(wildcards) else training_environment(wildcards)
    )


def compared_scores(wildcards):
    """The scores of a compared run; another one ends the program."""
    if wildcards.run not in compared():
        stop(f"'{wildcards.run}' is not compared. Compared are: {', '.join(compared())}.")
    return f"<results>/{wildcards.run}/per_image.csv"


def compared_certainty(wildcards):
    """The certainty of the compared runs that predict color classes; without any the program ends."""
    return [
        f"<results>/{name}/certainty.json" for name in compared() if name in CLASS_RUNS
    ] or stop("no model in use predicts color classes; give one target: classes")


def runs_of_grid(wildcards):
    """Return the names of the runs of an image grid: of a model, or those compared."""
    if wildcards.grid == "all_models":
        return compared()
    return [run.name for run in runs_of(wildcards.grid)]


def studied(wildcards):
    """The names of what people judge in the user study; an unknown one ends the program."""
    try:
        configuration.check_study_runs(config)
    except DeepColorError as error:
        stop(error)
    return config["study"].get("runs") or compared()


def files_of_card(wildcards, file):
    """A file of a run, and of the baselines that its model card sets beside it."""
    names = [run_of(wildcards).name, "baselines/grayscale-copy", "baselines/mean-chroma"]
    return [f"<results>/{name}/{file}" for name in names]


def photographs_to_colorize(wildcards):
    """Return the folder of photographs to colorize; a missing one ends the program."""
    try:
        return configuration.photographs_to_colorize(config)
    except DeepColorError as error:
        stop(error)


def planned_training(run):
    """What a run trains: the epochs after those of the shorter run, on so many images of each split."""
    epochs = run.epochs - (run.shorter or 0)
    return {"model": run.model, "epochs": epochs, **data_sets.images(config, run.train_on)}
