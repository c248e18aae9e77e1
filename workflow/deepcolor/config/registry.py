"""What there is: architectures and data sources, by name.

A new one is one file and one line here. The line names "module:function"; the module is imported
only by the jobs that use it (`pkgutil.resolve_name`), so that a new line reruns nothing.
"""

# Functions that build a network, see `deepcolor.models`.
ARCHITECTURES = {
    "densenet": "deepcolor.models.densenet:densenet",
    "denseunet": "deepcolor.models.denseunet:denseunet",
    "koalarization": "deepcolor.models.koalarization:koalarization",
    "lite": "deepcolor.models.lite:lite",
    "mobilenet": "deepcolor.models.mobilenet:mobilenet",
    "unet": "deepcolor.models.unet:unet",
}

# Functions that list photographs, see `deepcolor.data.sources`.
SOURCES = {
    "fiftyone": "deepcolor.data.sources.fiftyone:fiftyone",
    "folder": "deepcolor.data.sources.folder:folder",
    "huggingface": "deepcolor.data.sources.huggingface:huggingface",
    "photographs": "deepcolor.data.sources.embedded:photographs",
}

# Sources of hand-picked photographs that keep the splits apart themselves: nothing is checked.
CURATED_SOURCES = {"photographs"}
