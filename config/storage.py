"""Static files are hashed by content, so a browser may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Our scripts are ES modules: their imports are rewritten to the hashed names too."""

    support_js_module_import_aggregation = True
    manifest_strict = False
