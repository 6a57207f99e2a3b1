"""What comes before a network, as data and back."""

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from skdistill._names import columns_of
from skdistill.deployment._estimators import dump, restore
from skdistill.deployment._values import (
    NotPlainError,
    decode,
    decode_columns,
    encode,
    encode_columns,
    encode_settings,
)
from skdistill.students import ImagePreprocessor, TablePreprocessor
from skdistill.students._categories import CategoryEncoder
from skdistill.students._sparse_scaling import SparseScaler

NUMBER, FLAG, CATEGORY = "number", "flag", "category"
"""The kinds of a column."""

HASHING = {"n_features", "lowercase", "ngram_range", "analyzer", "binary", "norm", "stop_words"} | {
    *("alternate_sign", "strip_accents", "token_pattern")
}
"""Settings of a HashingVectorizer that a file may hold: with its others it opens files."""


def describe_step(step, name, arrays):
    """Return what a transformer has learnt, in a form that JSON has.

    Parameters
    ----------
    step : transformer, "passthrough" or None
    name : str
        Where the step stands; its arrays begin with it.
    arrays : Arrays
        Get those that JSON has no form for.

    Returns
    -------
    dict
    """
    if step is None or step == "passthrough":
        return {"class": "passthrough"}
    kind = type(step)
    if kind in STEPS:
        seen = encode_columns(step)
        try:
            found = STEPS[kind][0](step, name, arrays)
            return {"class": kind.__name__, "columns_seen": seen, **found}
        except NotPlainError:  # settings of a vectorizer that need skops
            pass
    what = f"The step {_shown(name)} ({kind.__name__})"
    return {"class": "skops", "of": kind.__name__,
            "content": arrays.add(f"{name}.skops", dump(step, what))}  # fmt: skip


def build_step(content, name, arrays):
    """Return the fitted transformer that `describe_step` was given; see there."""
    if content["class"] == "passthrough":
        return "passthrough"
    if content["class"] == "skops":
        return restore(arrays.get_array(content["content"]), f"The step {_shown(name)}")
    kind = next(kind for kind in STEPS if kind.__name__ == content["class"])
    step = STEPS[kind][1](content, arrays)
    decode_columns(step, content["columns_seen"])
    return step


def _shown(name):
    return repr(name.partition(".")[2])


def _describe_table(step, name, arrays):
    found = {"max_one_hot": encode(step.max_one_hot)}
    if hasattr(step, "scaler_"):
        kept, scale = step.scaler_.kept_, step.scaler_.scale_
        return {**found, "kept": arrays.add(f"{name}.kept", kept),
                "scale": arrays.add(f"{name}.scale", scale)}  # fmt: skip
    names = columns_of(step).names or range(step.n_features_in_)
    columns = [{"name": encode(name)} for name in names]
    with_gaps = set(step.with_gaps_.tolist())
    for i, position in enumerate(step._positions.tolist()):
        columns[position] |= {
            "kind": NUMBER if i < len(step.numeric_) else FLAG,
            "center": encode(step.center_[i]),
            "scale": encode(step.scale_[i]),
            "gaps": i in with_gaps,
        }
    encoder = step._categories
    for position, known in zip(step.categorical_.tolist(), encoder._positions, strict=True):
        categories = sorted(known, key=known.__getitem__)
        columns[position] |= {"kind": CATEGORY, "categories": encode(categories)}
    return {**found, "most_one_hot": encode(encoder.max_one_hot), "columns": columns}


def _build_table(content, arrays):
    step = TablePreprocessor(max_one_hot=content["max_one_hot"])
    if "columns" not in content:
        step.scaler_ = scaler = SparseScaler()
        scaler.kept_ = arrays.get_array(content["kept"])
        scaler.scale_ = arrays.get_array(content["scale"])
        return step
    columns = content["columns"]
    places = {kind: _places(columns, kind) for kind in (NUMBER, FLAG, CATEGORY)}
    if sum(map(len, places.values())) != len(columns):
        raise ValueError("a column is of no kind")
    step.numeric_, step.flags_, step.categorical_ = places.values()
    step._positions = np.concatenate([step.numeric_, step.flags_])
    numbers = [columns[i] for i in step._positions]
    step.center_ = np.array([decode(column["center"]) for column in numbers], dtype=float)
    step.scale_ = np.array([decode(column["scale"]) for column in numbers], dtype=float)
    step.with_gaps_ = np.flatnonzero([column["gaps"] for column in numbers])
    known = [decode(columns[i]["categories"]) for i in step.categorical_]
    step._categories = CategoryEncoder.of_categories(known, content["most_one_hot"])
    return step


def _places(columns, kind):
    return np.array([i for i, column in enumerate(columns) if column["kind"] == kind], dtype=int)


def _describe_images(step, name, arrays):
    return {
        "mean": arrays.add(f"{name}.mean", step.mean_),
        "scale": arrays.add(f"{name}.scale", step.scale_),
        "image_shape": encode(step.image_shape_),
    }


def _build_images(content, arrays):
    step = ImagePreprocessor()
    step.mean_ = arrays.get_array(content["mean"])
    step.scale_ = arrays.get_array(content["scale"])
    step.image_shape_ = decode(content["image_shape"])
    return step


def _describe_hashing(step, name, arrays):
    defaults = HashingVectorizer().get_params()
    changed = {n: v for n, v in step.get_params().items() if v is not defaults[n]
               and v != defaults[n]}  # fmt: skip
    settings, left_out = encode_settings(changed)
    if left_out or not settings.keys() <= HASHING:
        raise NotPlainError(str(left_out))
    return {"settings": settings}


def _build_hashing(content, arrays):
    settings = {name: decode(value) for name, value in content["settings"].items()}
    if not settings.keys() <= HASHING or callable(settings.get("analyzer")):
        raise ValueError(f"a HashingVectorizer may not be set {sorted(settings)}")
    return HashingVectorizer(**settings)


def _describe_tfidf(step, name, arrays):
    found = {"settings": {n: encode(value) for n, value in step.get_params().items()}}
    if step.use_idf:
        found["idf"] = arrays.add(f"{name}.idf", step.idf_)
    return found


def _build_tfidf(content, arrays):
    step = TfidfTransformer(**{n: decode(value) for n, value in content["settings"].items()})
    if "idf" in content:
        step.idf_ = arrays.get_array(content["idf"])
    return step


STEPS = {
    TablePreprocessor: (_describe_table, _build_table),
    ImagePreprocessor: (_describe_images, _build_images),
    HashingVectorizer: (_describe_hashing, _build_hashing),
    TfidfTransformer: (_describe_tfidf, _build_tfidf),
}
"""Transformers that a file says in words and arrays: how, and how they are made of these again."""
