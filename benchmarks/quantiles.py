"""Does one student keep the quantiles that three models learn? Three tables.

    python benchmarks/quantiles.py --data FOLDER

fits on at most 2,000 rows of California housing, of Adult (its column age, from the others) and of
scikit-learn's diabetes. The teacher is gradient boosting, one model for each of the quantiles .05,
.5 and .95; "one for each" are three default networks on labels, each of one quantile. It prints,
on rows that nobody was fitted on, the mean pinball loss of the three quantiles in hundredths of
y's standard deviation, its paired difference to the student on labels with Student's 95 % interval
over the splits, the share of values between the outer quantiles (.90 is wanted), and the
microseconds of processor time that a row takes.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tables import load
from scipy import stats
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from skdistill import DistilledQuantileRegressor, DistilledRegressor
from skdistill.exceptions import TeacherWarning
from skdistill.losses import QuantileLoss

QUANTILES = (0.05, 0.5, 0.95)
LABELS, SEPARATE = "one student, labels", "one for each, labels"


def rows_of(table, folder):
    """Return rows and numbers."""
    if table == "diabetes":
        return load_diabetes(return_X_y=True, as_frame=True)
    if table == "california":
        rows = pd.read_csv(folder / "california_housing.csv.gz")
        return rows, rows.pop("median_house_value")
    rows = load("adult", folder)[0]
    return rows.drop(columns="age"), rows["age"].astype(float)


def teacher(quantile):
    """Return boosted trees of one quantile, which read strings and gaps."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encode = make_column_transformer(
        (codes, make_column_selector(dtype_exclude="number")), remainder="passthrough"
    )
    trees = HistGradientBoostingRegressor(loss="quantile", quantile=quantile, random_state=0)
    return make_pipeline(encode, trees)


class Each:
    """A model for each quantile, beside each other."""

    def __init__(self, models):
        self.models = models

    def fit(self, X, y):
        for model in self.models:
            model.fit(X, y)
        return self

    def predict_quantiles(self, X):
        return np.column_stack([model.predict(X) for model in self.models])


def arms(seed):
    """Return what is compared, by name."""
    settings = {"device": "cpu", "random_state": seed}
    of_one = [
        DistilledRegressor(alpha=0, loss=QuantileLoss(quantile=q), **settings) for q in QUANTILES
    ]
    taught = {
        f"one student, alpha {alpha}": DistilledQuantileRegressor(
            teacher(0.5), QUANTILES, alpha=alpha, **settings
        )
        for alpha in (0.5, 0.9)
    }
    return {
        LABELS: DistilledQuantileRegressor(None, QUANTILES, **settings),
        SEPARATE: Each(of_one),
        "the teacher": Each([teacher(q) for q in QUANTILES]),
        **taught,
    }


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder with the tables")
    parser.add_argument("--rows", type=int, default=2_000, help="rows fitted, at most")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    print(f"{'table':<11}{'':<24}{'loss':>7}  {'to labels':<16}{'inside':>7}{'us/row':>8}")
    for table in ("california", "age", "diabetes"):
        X, y = rows_of(table, options.data)
        losses, inside, cost = {}, {}, {}
        for seed in range(options.seeds):
            n_fit = min(options.rows, int(0.7 * len(y)))
            n_test = min(4_000, len(y) - n_fit)
            X_fit, X_test, y_fit, y_test = train_test_split(
                X, y, train_size=n_fit, test_size=n_test, random_state=seed
            )
            for name, model in arms(seed).items():
                model.fit(X_fit, y_fit)
                started = time.process_time()
                found = model.predict_quantiles(X_test)
                cost.setdefault(name, []).append((time.process_time() - started) / n_test * 1e6)
                each = [
                    mean_pinball_loss(y_test, column, alpha=quantile)
                    for column, quantile in zip(found.T, QUANTILES, strict=True)
                ]
                losses.setdefault(name, []).append(100 * np.mean(each) / y.std())
                within = (y_test >= found[:, 0]) & (y_test <= found[:, -1])
                inside.setdefault(name, []).append(within.mean())
        for name, values in losses.items():
            apart = np.subtract(values, losses[LABELS])
            t = stats.t.ppf(0.975, len(apart) - 1) * stats.sem(apart)
            against = "" if name == LABELS else f"{apart.mean():+.2f} +- {t:.2f}"
            print(
                f"{table:<11}{name:<24}{np.mean(values):>7.2f}  {against:<16}"
                f"{np.mean(inside[name]):>7.3f}{np.median(cost[name]):>8.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
