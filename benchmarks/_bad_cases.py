"""Bad and easily misread inputs: what each changes in a plain call, and what a right outcome is."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from _bad_inputs import (
    N_TRAIN,
    Answers,
    answer,
    both,
    bytes_of,
    cell,
    forest,
    good,
    half_wrong,
    logits,
    named_targets,
    one_row,
    soft,
    some,
    sparsely,
    swapped,
    teach,
    three_classes,
    two_of_three,
    wipe,
    with_column,
    with_kind,
)
from _bad_outcomes import accurate, empty, sure
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import LinearSVC

NAN, INF = float("nan"), float("inf")
ROWS = r"\bX\b|input|row|column|feature|data|shape"
LABELS = r"\by\b|label|target|class"
TEACHER = r"teacher|predict_proba|probabilit|shape|fitted"


class Case(NamedTuple):
    """An input: how it differs from the plain call, and what is asked of its outcome.

    `changes` is a function from the plain call to the settings that differ. `right` says whether a
    fitted model read the input rightly; None where only a refusal is right. `names` is a pattern of
    the words by which a message names what is wrong.
    """

    changes: object
    right: object
    names: str


def setting(name, value):
    """Return a setting that no reading makes right."""
    words = {"temperature": r"temperature|\bT\b", "alpha": "alpha|student_loss_weight"}
    words |= {"lr": r"\blr\b|learning_rate|learning rate", "batch_size": "batch"}
    words |= {"epochs": "epoch|num_boost_round|num_iterations", "sample_weight": "weight"}
    return Case(lambda d: {name: value(d) if callable(value) else value}, None, words[name])


def weights(change):
    """Return a case of weights that no reading makes right."""
    return setting("sample_weight", lambda d: change(np.ones(len(d.X))))


AT_FIT = {
    "a list of lists": Case(lambda d: both(d, lambda t: t.to_numpy().tolist()), accurate, ROWS),
    "numbers as objects": Case(lambda d: both(d, lambda t: t.astype(object)), accurate, ROWS),
    "numbers as texts": Case(lambda d: both(d, lambda t: t.astype(str)), accurate, ROWS),
    "uint8": Case(lambda d: both(d, bytes_of) | {"clean": (bytes_of(d.X), d.y)}, accurate, ROWS),
    "sparse": Case(sparsely, accurate, ROWS + "|sparse"),
    "one cell NaN": Case(lambda d: {"X": cell(d.X, NAN)}, accurate, ROWS + "|NaN"),
    "a row of NaN": Case(lambda d: {"X": cell(d.X, NAN, column=slice(None))}, accurate, "NaN|row"),
    "a column of gaps": Case(
        lambda d: both(d, lambda t: with_column(t, np.nan)), accurate, "NaN|column|more"
    ),
    "one cell inf": Case(lambda d: {"X": cell(d.X, INF)}, accurate, "inf"),
    "one cell 1e300": Case(lambda d: {"X": cell(d.X, 1e300)}, accurate, "large|float32|inf|1e"),
    "a constant column": Case(lambda d: both(d, lambda t: with_column(t, 7)), accurate, "more"),
    "a text that tells the class": Case(with_kind, accurate, "kind|string|text|column|numeric"),
    "a column of dates": Case(
        lambda d: both(d, lambda t: with_column(t, pd.Timestamp("2024-05-01"))),
        accurate,
        "date|more",
    ),
    "a column of lists": Case(
        lambda d: both(d, lambda t: with_column(t, [[1, 2]] * len(t))), accurate, "list|more"
    ),
    "a column of dicts": Case(
        lambda d: both(d, lambda t: with_column(t, [{"a": 1}] * len(t))), accurate, "dict|more"
    ),
    "complex numbers": Case(lambda d: both(d, lambda t: t + 1j), None, "complex"),
    "two columns of one name": Case(
        lambda d: both(d, lambda t: t.set_axis([t.columns[1], *t.columns[1:]], axis=1)),
        accurate,
        "duplicate|unique|twice|name",
    ),
    "names that are numbers and texts": Case(
        lambda d: both(d, lambda t: t.set_axis([0, *t.columns[1:]], axis=1)),
        accurate,
        "name|column",
    ),
    "an index that repeats": Case(
        lambda d: {"X": d.X.set_axis(np.arange(N_TRAIN) % 5, axis=0)}, accurate, "index"
    ),
    "no rows": Case(lambda d: {"X": d.X[:0], "y": d.y[:0]}, None, "row|sample|empty|minimum"),
    "no columns": Case(lambda d: both(d, lambda t: t.iloc[:, :0]), None, "column|feature|empty"),
    "one row": Case(lambda d: {"X": d.X[:1], "y": d.y[:1]}, None, "row|sample|class"),
    "one axis": Case(
        lambda d: {"X": d.X.to_numpy()[:, 0]}, None, "1D|one-dim|shape|dimension|axis"
    ),
    "three axes": Case(lambda d: {"X": d.X.to_numpy()[:, :, None, None, None]}, None, "dim|shape"),
}
AT_PREDICT = {
    "columns in reverse": Case(lambda d: {"X_test": swapped(d.X_test)}, accurate, ROWS),
    "a column missing": Case(lambda d: {"X_test": d.X_test.iloc[:, 1:]}, None, ROWS),
    "a column more": Case(lambda d: {"X_test": with_column(d.X_test, 0.0)}, accurate, ROWS),
    "a column more, in front": Case(
        lambda d: {"X_test": with_column(d.X_test, 0.0)[["more", *d.X_test]]}, accurate, ROWS
    ),
    "columns renamed": Case(lambda d: {"X_test": d.X_test.add_prefix("_")}, None, ROWS),
    "an array of other width": Case(lambda d: {"X_test": d.X_test.to_numpy()[:, :7]}, None, ROWS),
    "a text in a column of numbers": Case(
        lambda d: {"X_test": cell(d.X_test, "many")}, None, "many|string|text|radius|number"
    ),
    "a gap, as no row had": Case(
        lambda d: {"X_test": cell(d.X_test, NAN)}, accurate, "NaN|radius|missing"
    ),
    "inf": Case(lambda d: {"X_test": cell(d.X_test, INF)}, accurate, "inf|radius"),
    "1e300": Case(lambda d: {"X_test": cell(d.X_test, 1e300)}, accurate, "large|float32|inf|1e"),
    "no rows at all": Case(lambda d: {"X_test": d.X_test[:0]}, empty, "row|sample|empty|minimum"),
    "one axis only": Case(lambda d: {"X_test": d.X_test.to_numpy()[:, 0]}, None, "1D|dim|shape"),
    "a text never seen": Case(
        lambda d: (c := with_kind(d)) | {"X_test": cell(c["X_test"], "green", column=3)},
        accurate,
        "kind|green|categor",
    ),
}
Y = {
    "texts": Case(
        lambda d: {"y": np.where(d.y, "yes", "no"), "y_test": np.where(d.y_test, "yes", "no")},
        accurate,
        LABELS,
    ),
    "booleans": Case(lambda d: {"y": d.y == 1, "y_test": d.y_test == 1}, accurate, LABELS),
    "10 and 20": Case(
        lambda d: {"y": 10 * d.y + 10, "y_test": 10 * d.y_test + 10}, accurate, LABELS
    ),
    "a list": Case(lambda d: {"y": d.y.tolist()}, accurate, LABELS),
    "a column vector": Case(lambda d: {"y": d.y[:, None]}, accurate, LABELS),
    "two columns, one-hot": Case(lambda d: {"y": np.eye(2)[d.y]}, accurate, LABELS),
    "some NaN": Case(lambda d: {"y": some(d.y, NAN)}, accurate, LABELS),
    "some None": Case(lambda d: {"y": some(d.y, None)}, accurate, LABELS),
    "-1 for half, as no label": Case(
        lambda d: {"y": some(d.y, -1, 2).astype(int)}, accurate, LABELS
    ),
    "some inf": Case(lambda d: {"y": some(d.y, INF)}, None, LABELS),
    "numbers and texts": Case(lambda d: {"y": some(d.y, "1")}, None, LABELS),
    "numbers of a scale": Case(
        lambda d: {"y": d.X.iloc[:, 1].to_numpy(), "problem": "binary"}, None, LABELS
    ),
    "one class": Case(lambda d: {"y": np.ones_like(d.y)}, None, LABELS),
    "a class of one row": Case(one_row, accurate, LABELS),
    "three classes": Case(three_classes, accurate, LABELS),
    "fewer than rows": Case(lambda d: {"y": d.y[:-9]}, None, "length|inconsistent|number|size"),
}
WEIGHTS = {
    "some negative": weights(lambda w: w - 2.0 * (np.arange(len(w)) % 3 == 0)),
    "some NaN": weights(lambda w: some(w, NAN)),
    "some inf": weights(lambda w: some(w, INF)),
    "all zero": weights(lambda w: 0 * w),
    "texts": weights(lambda w: np.full(len(w), "much")),
    "fewer than rows": weights(lambda w: w[:-9]),
    "of two columns": weights(lambda w: np.ones((len(w), 2))),
    "zero for the wrong half": Case(half_wrong, accurate, "weight"),
}
SETTINGS = {
    **{f"temperature {value}": setting("temperature", value) for value in (0, -1, NAN, INF, 1e300)},
    "temperature 'warm'": setting("temperature", "warm"),
    **{f"alpha {value}": setting("alpha", value) for value in (-0.1, 1.5, NAN)},
    "alpha 'half'": setting("alpha", "half"),
    **{f"learning rate {value}": setting("lr", value) for value in (0, -0.1, NAN, INF)},
    **{f"epochs {value}": setting("epochs", value) for value in (0, -1, 2.5)},
    **{f"batch size {value}": setting("batch_size", value) for value in (0, 2.5)},
    "a student of another name": Case(
        lambda d: {"student_name": "small"}, None, "student|small|hyperparameters"
    ),
}
TEACHERS = {
    "not fitted": Case(teach(lambda d: LogisticRegression()), sure, TEACHER),
    "none": Case(teach(None), None, TEACHER),
    "a class, no instance": Case(
        lambda d: {"teacher": LogisticRegression}, None, TEACHER + "|instance"
    ),
    "a text": Case(teach("forest"), None, TEACHER + "|forest|unknown"),
    "margins, no probabilities": Case(
        teach(lambda d: LinearSVC().fit(d.X, d.y)), None, TEACHER + "|decision"
    ),
    "a regressor": Case(teach(lambda d: Ridge().fit(d.X, d.y)), sure, TEACHER + "|regressor"),
    "fitted on other columns": Case(
        teach(lambda d: LogisticRegression().fit(d.X.iloc[:, :7], d.y)), sure, ROWS
    ),
    "fitted on columns in reverse": Case(
        teach(lambda d: LogisticRegression().fit(swapped(d.X), d.y)), sure, ROWS + "|name"
    ),
    "fitted on labels of other names": Case(
        teach(lambda d: LogisticRegression().fit(d.X, np.where(d.y, "benign", "malignant"))),
        sure,
        LABELS,
    ),
    "with a class that y lacks": Case(
        teach(lambda d: LogisticRegression().fit(d.X, one_row(d)["y"])), sure, LABELS
    ),
    "without a class of y": Case(
        lambda d: three_classes(d, teacher=two_of_three(d)), accurate, LABELS + "|column|shape"
    ),
    "classes_ in reverse": Case(
        teach(lambda d: Answers(lambda rows: good(rows)[:, ::-1], classes=(1, 0))), sure, LABELS
    ),
    "answers labels": Case(answer(lambda p, rows: p.argmax(axis=1)), None, TEACHER),
    "answers one column": Case(answer(lambda p, rows: p[:, 1:]), sure, TEACHER),
    "answers fewer rows": Case(answer(lambda p, rows: p[:-9]), None, TEACHER + "|row|length"),
    "answers some NaN": Case(answer(lambda p, rows: some(p, NAN)), None, TEACHER + "|NaN"),
    "answers negative values": Case(answer(lambda p, rows: p - 0.3), sure, TEACHER + "|negative"),
    "answers sigmoids": Case(
        answer(lambda p, rows: np.column_stack([0.9 + 0 * p[:, 0], p[:, 1]])),
        sure,
        TEACHER + "|sum",
    ),
    "answers logits": Case(answer(lambda p, rows: logits(p)), sure, TEACHER + "|negative|sum"),
    "writes into its rows": Case(answer(wipe), sure, "write|read-only"),
    "is left as it was": Case(
        lambda d: {"teacher": clone(forest()).fit(d.X[:200], d.y[:200]), "kept": True},
        accurate,
        TEACHER,
    ),
}
NETS = {
    f"that {name}": Case(
        lambda d, net=net, more=more: {"net": net, "teacher_only": True, **more}, right, words
    )
    for name, (net, right, words, more) in {
        "ends in a softmax": ("softmax", sure, "softmax|logit|probabilit", {}),
        "ends in one logit": ("one logit", sure, "shape|column|output", {}),
        "has outputs for three classes": ("three", sure, "shape|column|class|output", {}),
        "was never trained": ("untrained", None, "log-loss|label", {}),
        "has weights of NaN": ("nan", None, "NaN|finite", {}),
        "reads another width": ("narrow", None, "shape|width|column|feature", {}),
        "is left as it was, dropout on": ("training", sure, "mode|train", {"kept": True}),
    }.items()
}
OTHER_ROWS = {
    "unlabelled, of another width": Case(
        lambda d: {"X_unlabeled": d.X_test.iloc[:, 1:]}, None, ROWS
    ),
    "unlabelled, columns in reverse": Case(
        lambda d: {"X_unlabeled": swapped(d.X_test)}, accurate, ROWS
    ),
    "unlabelled, columns renamed": Case(
        lambda d: {"X_unlabeled": d.X_test.add_prefix("_")}, None, ROWS
    ),
    "unlabelled, a text among numbers": Case(
        lambda d: {"X_unlabeled": cell(d.X_test, "many")}, None, "many|string|text|radius|number"
    ),
    "unlabelled, none": Case(lambda d: {"X_unlabeled": d.X_test[:0]}, accurate, ROWS + "|empty"),
    "validation, of another width": Case(
        lambda d: {"held": (d.X_test.iloc[:60, 1:], d.y_test[:60])}, None, ROWS
    ),
    "validation, columns in reverse": Case(
        lambda d: {"held": (swapped(d.X_test[:60]), d.y_test[:60])}, accurate, ROWS
    ),
    "validation, a label never seen": Case(
        lambda d: {"held": (d.X_test[:60], d.y_test[:60] + 5)}, None, LABELS
    ),
    "folds that test their own rows": Case(
        lambda d: {"cv": [(np.arange(N_TRAIN), np.arange(N_TRAIN))]}, None, "cv|fold|row"
    ),
    "soft targets, named, in reverse": Case(named_targets, sure, "soft.target"),
    "soft targets, too few": Case(soft(lambda p: p[:-9]), None, "soft.target"),
    "soft targets, logits": Case(soft(logits), sure, "soft.target"),
    "soft targets, all NaN": Case(soft(lambda p: p * NAN), None, "soft.target"),
}
AFTER = {
    "another fit that is refused": Case(lambda d: {"second": {"y": d.y[:-9]}}, accurate, ROWS),
    "the seed of the user's torch": Case(lambda d: {"seed": True}, accurate, "seed"),
}
CASES = {
    "Rows of the fit": AT_FIT,
    "Rows to predict": AT_PREDICT,
    "Labels": Y,
    "Weights of rows": WEIGHTS,
    "Settings": SETTINGS,
    "A teacher": TEACHERS,
    "A net as teacher": NETS,
    "Other rows and targets": OTHER_ROWS,
    "What is left as it was": AFTER,
}
