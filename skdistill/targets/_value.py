"""What a teacher says of each row, as a value that can be kept, sliced and handed on."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike

from skdistill._names import names_of
from skdistill._words import shorten

KINDS = ("logits", "numbers", "probabilities")


class Targets(NDArrayOperatorsMixin):
    """What a teacher says of each row, for a student to learn.

    `teacher_targets` makes it, ``fit(X, y, soft_targets=targets)`` learns from it what `fit` with
    the teacher learns. numpy reads it as an array, and scikit-learn slices it as it slices X, so
    that it can be handed to a whole search. It holds no teacher.

    Parameters
    ----------
    values : array-like of shape (n_samples, n_columns)
        Probabilities in the order of `classes`, or numbers. A row of NaN has no target: it learns
        from its label alone.
    kind : {"probabilities", "logits", "numbers"}, default="probabilities"
        What the teacher speaks: "logits" for probabilities that are the softmax of its logits, by
        which a loss chooses its "auto" temperature; "numbers" for a regressor.
    classes : array-like of shape (n_columns,), default=None
        The labels of the columns; None is the sorted labels of the y that they come with.
    out_of_fold : bool, default=False
        Whether each row was answered by a teacher that had not been fitted on it.
    calibrated : bool, default=False
        Whether a temperature or offsets have been applied.
    from_labels : bool, default=False
        Whether they come from the label of each row and not from the row, so that they hold for
        every view of it.
    more : sequence of array-like of shape (n_more_i, n_columns), default=()
        The same for rows that carry no label, in the order in which `fit` gets them.
    features : dict of str to list of ndarray, default=None
        What hidden layers of the teacher make of the rows, by the layer's name: an array of shape
        (n_samples, ...) for the labelled rows, and one for each of `more`.
    said : array-like of shape (n_samples, n_columns), default=None
        What the teacher itself says of the labelled rows, where `values` are that after a
        calibration or with answers that come from labels, or leave out what it may know by heart;
        None where they are the same.

    Attributes
    ----------
    shape : tuple of int
        Of the values.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import Targets
    >>> targets = Targets([[0.9, 0.1], [0.2, 0.8]], classes=["no", "yes"])
    >>> targets
    Targets(shape=(2, 2), kind='probabilities', classes=['no', 'yes'])
    >>> np.asarray(targets[[1]])
    array([[0.2, 0.8]])
    """

    def __init__(
        self,
        values: ArrayLike,
        kind: str = "probabilities",
        classes: ArrayLike | None = None,
        *,
        out_of_fold: bool = False,
        calibrated: bool = False,
        from_labels: bool = False,
        more: Iterable[ArrayLike] = (),
        features: dict[str, list[np.ndarray]] | None = None,
        said: ArrayLike | None = None,
    ) -> None:
        if isinstance(values, Targets):
            raise ValueError(
                "Targets got Targets; expected an array. They are what `fit` takes as they are: "
                "fit(X, y, soft_targets=targets)."
            )
        names = names_of(values)
        if names is not None:
            raise ValueError(
                f"Targets got a table with the columns {names.tolist()}; expected an array, "
                f"whose columns come in the order of `classes`. Pass table.to_numpy() and "
                f"classes=[...], or the table itself as soft_targets, which is read by its names."
            )
        self.values = np.asarray(values, dtype=np.float64)
        if self.values.ndim != 2:
            raise ValueError(
                f"Targets got values of shape {self.values.shape}; expected (n_samples, "
                f"n_columns): a row per row of X. One column of numbers is values.reshape(-1, 1)."
            )
        if kind not in KINDS:
            raise ValueError(
                f"The 'kind' parameter of Targets must be one of {list(KINDS)}. Got "
                f"{shorten(kind)} instead."
            )
        self.kind = kind
        self.classes = None if classes is None else np.asarray(classes)
        if self.classes is not None and self.classes.shape != self.values.shape[1:]:
            raise ValueError(
                f"Targets got {self.classes.size} classes for {self.values.shape[1]} columns; "
                f"expected a label for each column."
            )
        self.out_of_fold = bool(out_of_fold)
        self.calibrated = bool(calibrated)
        self.from_labels = bool(from_labels)
        self.more: list[np.ndarray] = [np.asarray(part, dtype=np.float64) for part in more]
        for part in self.more:
            if part.ndim != 2 or part.shape[1] != self.values.shape[1]:
                raise ValueError(
                    f"Targets got answers for more rows of shape {part.shape}; expected (n_rows, "
                    f"{self.values.shape[1]}), a column for each of `values`."
                )
        self.features = {} if features is None else dict(features)
        lengths = [len(part) for part in [self.values, *self.more]]
        for name, parts in self.features.items():
            if [len(part) for part in parts] != lengths:
                raise ValueError(
                    f"Targets got features of the layer {name!r} for {[len(p) for p in parts]} "
                    f"rows; expected {lengths}: an array for `values`, and one for each of `more`."
                )
        self.said = None if said is None else np.asarray(said, dtype=np.float64)

    @property
    def shape(self) -> tuple[int, int]:
        return self.values.shape

    @property
    def ndim(self) -> int:
        return self.values.ndim

    @property
    def dtype(self) -> np.dtype:
        return self.values.dtype

    @property
    def has_target(self) -> np.ndarray:
        """Which rows have one, ndarray of shape (n_samples,), bool."""
        return np.asarray(~np.isnan(self.values).any(axis=1))

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is None:  # which numpy 1 does not know
            return np.asarray(self.values, dtype=dtype)
        return np.array(self.values, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc, method, *inputs, **settings):
        """Compute with the array, and return one: half of targets are no targets."""
        out = settings.get("out", ())
        if any(isinstance(part, Targets) for part in out):
            raise TypeError("Targets are not changed in place; compute with np.asarray(targets).")
        arrays = [part.values if isinstance(part, Targets) else part for part in inputs]
        return getattr(ufunc, method)(*arrays, **settings)

    def __getitem__(self, rows):
        """Return the targets of some of the labelled rows; those without labels stay.

        A single row, and columns, are arrays.
        """
        if isinstance(rows, tuple):
            if len(rows) != 2 or rows[1] is not Ellipsis:  # as scikit-learn slices rows
                return self.values[rows]
            rows = rows[0]
        if isinstance(rows, int | np.integer):
            return self.values[rows]
        return self.replace(
            values=self.values[rows],
            said=None if self.said is None else self.said[rows],
            features={name: [parts[0][rows], *parts[1:]] for name, parts in self.features.items()},
        )

    def replace(self, **changes: Any) -> "Targets":
        """Return targets with some of their parts changed.

        Parameters
        ----------
        **changes
            Parameters of the class, by name.

        Returns
        -------
        Targets
        """
        return Targets(**(vars(self) | changes))

    def __repr__(self):
        classes = "" if self.classes is None else f", classes={self.classes.tolist()}"
        said = "".join(f", {n}=True" for n in ("out_of_fold", "calibrated") if getattr(self, n))
        return f"Targets(shape={self.shape}, kind={self.kind!r}{classes}{said})"
