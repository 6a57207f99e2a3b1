"""What a regressor gains by a teacher, on California housing.

    python benchmarks/regression.py --data FOLDER

prints the root mean squared error and R2 of three teachers (boosted trees, a forest, both as a
list), of the default student and of a tree of depth 6, alone and distilled, on the same 4,128
held-back rows: means over the seeds, which draw the training rows and the weights. The intervals
are of the test rows: 95% of 2,000 bootstrap samples, of the error itself and, paired, of its
difference to the student alone.
"""

import argparse
import pickle
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledRegressor

TEST_ROWS = 4128
ALPHAS = (0.5, 0.9)
N_SAMPLES = 2000


def encoded(estimator):
    """Return a Pipeline that gives the estimator codes for the one category."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = (codes, make_column_selector(dtype_exclude="number"))
    return make_pipeline(make_column_transformer(columns, remainder="passthrough"), estimator)


BOOSTING = encoded(HistGradientBoostingRegressor())
FOREST = encoded(RandomForestRegressor(100))
TEACHERS = {"boosted trees": BOOSTING, "forest": FOREST, "both": [BOOSTING, FOREST]}
STUDENTS = {
    "default student": None,
    "tree of depth 6": encoded(DecisionTreeRegressor(max_depth=6)),
}


def load(folder):
    """Return rows and prices in 1,000 dollars, shuffled, the test rows last."""
    table = pd.read_csv(folder / "california_housing.csv.gz").sample(frac=1, random_state=0)
    price = table.pop("median_house_value").to_numpy() / 1000
    return table, price


def squared_errors(model, X, y):
    """Return the squared error of each test row."""
    return (model.predict(X) - y) ** 2


def measure(X, y, n_rows, seed, memory):
    """Return the squared errors of every arm by (teacher, student, alpha), and the models."""
    rng = np.random.RandomState(seed)
    train = rng.permutation(len(y) - TEST_ROWS)[:n_rows]
    test = np.arange(len(y) - TEST_ROWS, len(y))
    X_train, y_train, X_test, y_test = X.iloc[train], y[train], X.iloc[test], y[test]
    errors, models = {}, {}
    for name, student in STUDENTS.items():
        plain = DistilledRegressor(None, student, alpha=0, random_state=seed)
        errors["none", name, 0.0] = squared_errors(plain.fit(X_train, y_train), X_test, y_test)
        for named, teacher in TEACHERS.items():
            for alpha in ALPHAS:
                model = DistilledRegressor(
                    clone(teacher) if named != "both" else [clone(part) for part in teacher],
                    student,
                    alpha=alpha,
                    memory=memory,
                    random_state=seed,
                ).fit(X_train, y_train)
                errors[named, name, alpha] = squared_errors(model, X_test, y_test)
                models[named, name] = model
            errors[named, "itself", None] = squared_errors(model.teacher_, X_test, y_test)
    return errors, models, X_test


def interval(values):
    """Return 95% of the bootstrap's values as text."""
    low, high = np.percentile(values, [2.5, 97.5])
    return f"[{low:6.2f}, {high:6.2f}]"


def show(errors, y_test):
    """Print the table of one number of training rows.

    Parameters
    ----------
    errors : dict of tuple to ndarray of shape (n_seeds, n_test)
        Squared errors by (teacher, student, alpha).
    y_test : ndarray of shape (n_test,)
    """
    picks = np.random.RandomState(0).randint(len(y_test), size=(N_SAMPLES, len(y_test)))

    def rmse(values, rows=slice(None)):
        return np.sqrt(values[:, rows].mean(axis=-1)).mean(axis=0)

    print(
        f"{'teacher':15}{'student':17}{'alpha':>5}{'RMSE':>8}  {'95%':16}{'R2':>6}"
        f"{'to alone':>10}  {'95%':16}"
    )
    for (teacher, student, alpha), values in errors.items():
        sampled = np.array([rmse(values, rows) for rows in picks])
        r2 = 1 - values.mean() / y_test.var()
        shown = "" if alpha is None else f"{alpha:.1f}"
        line = (
            f"{teacher:15}{student:17}{shown:>5}{rmse(values):8.2f}  {interval(sampled)}{r2:6.3f}"
        )
        if alpha:
            alone = errors["none", student, 0.0]
            differences = sampled - np.array([rmse(alone, rows) for rows in picks])
            line += f"{rmse(values) - rmse(alone):+10.2f}  {interval(differences)}"
        print(line, flush=True)


def show_costs(models, X_test):
    """Print the size of the models and the time of their predictions."""
    print(f"\n{'':32}{'kB pickled':>12}{'us a row, 4,128 at once':>26}")
    teachers = {named: models[named, "default student"].teacher_ for named in TEACHERS}
    students = {name: models["both", name].student_ for name in STUDENTS}
    for name, model in {**teachers, **students}.items():
        times = []
        for _ in range(5):
            started = time.perf_counter()
            model.predict(X_test)
            times.append(time.perf_counter() - started)
        size = len(pickle.dumps(model)) / 1000
        print(f"{name:32}{size:12,.0f}{min(times) / len(X_test) * 1e6:26.1f}")


def main():
    """Print a table for each number of training rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with california_housing.csv.gz")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="+", default=[2000, 8000, 16512])
    options = parser.parse_args()
    X, y = load(Path(options.data))
    for n_rows in options.rows:
        with tempfile.TemporaryDirectory() as memory:
            runs = [measure(X, y, n_rows, seed, memory) for seed in range(options.seeds)]
        errors = {key: np.stack([run[0][key] for run in runs]) for key in runs[0][0]}
        print(f"California housing, {n_rows:,} training rows, prices in 1,000 dollars")
        show(errors, y[-TEST_ROWS:])
        show_costs(runs[0][1], runs[0][2])
        print()


if __name__ == "__main__":
    sys.exit(main())
