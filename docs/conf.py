"""Sphinx settings. `make docs` builds with warnings as errors and needs no network."""

import importlib.metadata

project = "skdistill"
author = "the skdistill developers"
copyright = f"2026, {author}"
release = importlib.metadata.version("skdistill")
version = release

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
default_role = "literal"

nitpicky = True
# What other libraries document is named here and not linked: the build asks no other site.
nitpick_ignore_regex = [
    ("py:.*", r"(joblib|matplotlib|numpy|pandas|scipy|sklearn|skorch|torch)\..*")
]

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say the types, with shapes and defaults
numpydoc_show_class_members = False  # the template of a class lists them
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = f"skdistill {version}"
html_theme_options = {"show_prev_next": False, "show_toc_level": 2}
html_sidebars = {"api": []}
html_show_sourcelink = False


def skip_foreign_members(app, what, name, obj, skip, options):
    """Leave out of a class what scikit-learn, skorch and torch gave it; they document that."""
    module = getattr(getattr(obj, "fget", obj), "__module__", None)
    return True if what == "class" and module and not module.startswith(project) else None


def setup(app):
    app.connect("autodoc-skip-member", skip_foreign_members)
