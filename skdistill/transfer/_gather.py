"""Every row without a label that a fit learns from, brought together."""

from scipy import sparse

from skdistill._compat import safe_indexing
from skdistill._input._frames import column_names, is_table, library_of
from skdistill._input._inputs import form_of, name_form
from skdistill._input._rows import as_rows
from skdistill._random import draw_seeds
from skdistill.transfer._base import BaseAugmenter
from skdistill.transfer._registry import get_augmenter
from skdistill.transfer._unlabeled import plain_rows


def gather_rows(X, X_unlabeled, augment, seed, parts=None):
    """Return the user's unlabelled rows and the generated ones.

    Parameters
    ----------
    X : {ndarray, CSR matrix, DataFrame} of shape (n_samples, ...)
        The labelled rows, from which rows are generated.
    X_unlabeled : {array-like, sparse matrix, DataFrame, Unlabeled} of shape (n_unlabeled, ...) \
or None
        Rows with the columns of X.
    augment : None, str or object
        See `get_augmenter`.
    seed : int
        Seeds the generated rows.
    parts : dict of int to ndarray of shape (n_rows_i,), int, default=None
        Positions in X of the rows whose offspring is to be kept apart. None is all of X as one.

    Returns
    -------
    more : list of {ndarray, CSR matrix, DataFrame}
        The unlabelled rows, and the generated ones where there are no parts.
    generated : dict of int to {ndarray, CSR matrix, DataFrame}
        Those made within each part, by its key.

    Raises
    ------
    ValueError
        When the unlabelled rows are not of the kind or the columns of X.
    """
    more, generated = [], {}
    if X_unlabeled is not None:
        rows = as_rows(plain_rows(X_unlabeled))
        check_alike(rows, X)
        more.append(rows)
    augmenter = get_augmenter(augment)
    if augmenter is not None and parts is None:
        more.append(augmenter.rows(X, random_state=seed))
    elif augmenter is not None:
        generated = _generate_apart(augmenter, X, parts, seed)
    return more, generated


def _generate_apart(augmenter, X, parts, seed):
    """Generate rows within each part, which has its share of `max_rows`."""
    generators = [augmenter] * len(parts)
    if isinstance(augmenter, BaseAugmenter):
        generators = augmenter.share_max_rows([len(part) for part in parts.values()])
    seeds = draw_seeds(seed, len(parts))
    return {
        key: generator.rows(safe_indexing(X, part), random_state=part_seed)
        for (key, part), generator, part_seed in zip(parts.items(), generators, seeds, strict=True)
        if generator is not None
    }


def check_alike(rows, X):
    """Check that rows without labels are of the kind and the columns of the others.

    Parameters
    ----------
    rows, X : {ndarray, sparse matrix, DataFrame} of shape (n_rows, ...)
        See `skdistill._input._rows.as_rows`.

    Raises
    ------
    ValueError
    """
    kinds = [_name_kind(rows), _name_kind(X)]
    if kinds[0] != kinds[1]:
        advice = " Write X_unlabeled.toarray()." if kinds == ["a sparse matrix", "an array"] else ""
        raise ValueError(
            f"X_unlabeled is {kinds[0]} and X is {kinds[1]}; expected the same of both, so that "
            f"teacher and student read their columns alike.{advice}"
        )
    if rows.shape[1:] != X.shape[1:]:
        raise ValueError(
            f"The rows of X_unlabeled have the shape {tuple(rows.shape[1:])} and those of X "
            f"{tuple(X.shape[1:])}; expected the same columns. Inside a Pipeline with steps before "
            f"this estimator, transform_input=['X_unlabeled'] brings them through the steps."
        )
    if is_table(rows) and column_names(rows) != column_names(X):
        raise ValueError(
            f"X_unlabeled and X have different columns, or the same in another order; pass those "
            f"of X in their order: {column_names(X)[:5]}..."
        )


def _name_kind(X):
    if is_table(X):
        return f"a {library_of(X)} DataFrame"
    if sparse.issparse(X):
        return "a sparse matrix"
    form = form_of(X)
    if form is not None:
        return name_form(form)
    return "an array of texts" if X.ndim == 1 else "an array"
