"""The tables of the benchmarks, each as a DataFrame and labels, and teachers for them."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

SPLIT_SEED = 0


def adult(folder):
    """Adult's training rows; 14 mixed columns, 2 classes."""
    return _target_last(pd.read_csv(folder / "adult_train.csv.gz", na_values="?"))


def bank(folder):
    """Bank marketing's rows but the last fifth; 16 mixed columns, 2 unbalanced classes."""
    table = pd.read_csv(folder / "bank_marketing.csv.gz").sample(frac=1, random_state=SPLIT_SEED)
    return _target_last(table[: int(0.8 * len(table))])


def california(folder):
    """California housing, is a house dearer than the median? 9 columns, gaps, a category."""
    table = pd.read_csv(folder / "california_housing.csv.gz").sample(
        frac=1, random_state=SPLIT_SEED
    )[:16_512]
    price = table.pop("median_house_value")
    return table, (price > price.median()).to_numpy().astype(int)


def letter(folder):
    """Letter's training rows; 16 columns, 26 classes."""
    return _arrays(folder / "letter.npz", "X_train", "y_train")


def pendigits(folder):
    """Pendigits' training rows; 16 columns, 10 classes."""
    return _arrays(folder / "pendigits.npz", "X_train", "y_train")


def spoken(folder):
    """Spoken digits' training clips, 80 summary columns, 10 classes."""
    return _arrays(folder / "spoken_digits_logmel.npz", "S_train", "y_digit_train")


TABLES = {
    "adult": adult,
    "bank": bank,
    "california": california,
    "letter": letter,
    "pendigits": pendigits,
    "spoken": spoken,
}


def load(name, folder):
    """Return a table's rows, a DataFrame, and its labels, 0 .. k - 1.

    Parameters
    ----------
    name : str
        A key of `TABLES`.
    folder : path-like

    Returns
    -------
    X : DataFrame of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,), int
    """
    X, y = TABLES[name](Path(folder))
    return X, np.unique(y, return_inverse=True)[1]


def make_teacher(kind):
    """Return an unfitted teacher that reads numbers, strings and gaps.

    Parameters
    ----------
    kind : {"boosting", "forest", "both"}

    Returns
    -------
    estimator
    """
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encode = make_column_transformer(
        (codes, make_column_selector(dtype_exclude="number")), remainder="passthrough"
    )
    boosting = make_pipeline(encode, HistGradientBoostingClassifier(random_state=0))
    forest = make_pipeline(encode, SimpleImputer(), RandomForestClassifier(300, random_state=0))
    both = VotingClassifier([("boosting", boosting), ("forest", forest)], voting="soft")
    return {"boosting": boosting, "forest": forest, "both": both}[kind]


def _target_last(table):
    return table.iloc[:, :-1], table.iloc[:, -1].to_numpy()


def _arrays(path, rows, labels):
    with np.load(path) as arrays:
        X = arrays[rows].astype(float)
        return pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]), arrays[labels]
