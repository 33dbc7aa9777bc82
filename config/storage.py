"""Static files are hashed by content, so a browser may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage

MODULE_IMPORT = (
    r"""(?P<matched>(?P<words>\bimport\s*|\b(?:import|export)\b[^'"()]*?\bfrom\s*)['"](?P<url>\.\.?/[^'"\n]+)['"])""",
    """%(words)s'%(url)s'""",
)


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Our scripts are ES modules: their imports are rewritten to the hashed names too.

    Django's own patterns want semicolons, which our scripts have not, and trip over libraries whose comments
    mention an import; so the pattern is ours, for our files.
    """

    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("annotator/*.js", (MODULE_IMPORT,)))
    manifest_strict = False
