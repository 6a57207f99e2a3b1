"""Sphinx settings. `make docs` builds with warnings as errors and needs no network."""

import importlib.metadata
import pathlib

project = "skdistill"
author = "the skdistill developers"
copyright = f"2026, {author}"
release = importlib.metadata.version("skdistill")
version = release

extensions = [
    "myst_parser",  # for the changelog and the page for contributors, which are Markdown
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
default_role = "literal"

nitpicky = True
# A link of the page for contributors, which is right where the repository itself is shown.
nitpick_ignore = [("myst", "CHANGELOG.md")]
# What other libraries document is named here and not linked: the build asks no other site.
nitpick_ignore_regex = [
    ("py:.*", r"(joblib|matplotlib|numpy|pandas|scipy|sklearn|skorch|torch)\..*")
]

autosummary_generate = True
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # the docstrings say the types, with shapes and defaults
numpydoc_show_class_members = False  # the template of a class lists them
numpydoc_xref_param_type = False

# The pictures are drawn in the build. The whole stories take minutes: they are shown, not run.
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"[\\/]pictures[\\/]plot_",
    "backreferences_dir": "generated/backreferences",
    "default_thumb_file": str(pathlib.Path(__file__).parent / "_static" / "logo.svg"),
    "doc_module": (project,),
    "image_srcset": ["2x"],
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
    "write_computation_times": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"skdistill {version}"
html_logo = html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_theme_options = {
    "header_links_before_dropdown": 6,
    "logo": {"text": "skdistill"},
    "navbar_align": "left",
    "show_prev_next": False,
    "show_toc_level": 2,
}
html_sidebars = {"index": [], "api": [], "install": [], "cheat_sheet": []}
html_show_sourcelink = False


def skip_foreign_members(app, what, name, obj, skip, options):
    """Leave out of a class what scikit-learn, skorch and torch gave it; they document that."""
    module = getattr(getattr(obj, "fget", obj), "__module__", None)
    return True if what == "class" and module and not module.startswith(project) else None


def setup(app):
    app.connect("autodoc-skip-member", skip_foreign_members)
