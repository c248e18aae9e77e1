"""What there is: architectures and data sources, by name.

A new one is one file and one line here. The line names "module:function"; the module is imported
only by the jobs that use it (`pkgutil.resolve_name`), so that a new line reruns nothing.
"""

# Functions that build a network, see `deepcolor.models`.
ARCHITECTURES = {
    "densenet": "deepcolor.models.densenet:densenet",
    "mobilenet": "deepcolor.models.mobilenet:mobilenet",
    "unet": "deepcolor.models.unet:unet",
}

# Functions that list photographs, see `deepcolor.sources`.
SOURCES = {
    "folder": "deepcolor.sources.folder:folder",
    "photographs": "deepcolor.sources.photographs:photographs",
}
