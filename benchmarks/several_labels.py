"""What a teacher brings to a student of several labels: two tables and a set of texts.

    python benchmarks/several_labels.py --data FOLDER

fits on 2,000 rows of each, and prints the mean log-loss of the labels on 2,000 others, and their
mean average precision. The difference of the log-loss to the same student without a teacher stands
behind it, for each draw.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import average_precision_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledMultilabelClassifier
from skdistill.students import TablePreprocessor

N_ROWS = 2000
TAGS = ("comp", "sys", "rec", "sport", "sci", "talk", "politics", "religion")


def adult(folder):
    """What four columns say of a person, by the others."""
    table = pd.read_csv(folder / "adult_train.csv.gz")
    labels = {
        "rich": table.pop("income") == ">50K",
        "married": table.pop("marital-status") == "Married-civ-spouse",
        "long hours": table.pop("hours-per-week") > 40,
        "man": table.pop("sex") == "Male",
    }
    return table.drop(columns=["relationship"]), pd.DataFrame(labels)


def bank(folder):
    """What four columns say of a customer, by the others."""
    table = pd.read_csv(folder / "bank_marketing.csv.gz")
    labels = {name: table.pop(name) == "yes" for name in ("y", "housing", "loan")}
    labels["married"] = table.pop("marital") == "married"
    return table, pd.DataFrame(labels)


def newsgroups(folder):
    """The parts of the name of the group that a text was sent to, by its 100 main directions."""
    table = pd.read_csv(folder / "newsgroups20.csv.gz", usecols=["text", "newsgroup"])
    table = table.sample(6000, random_state=0)
    words = TfidfVectorizer(sublinear_tf=True, min_df=5, stop_words="english")
    words = words.fit_transform(table["text"].fillna(""))
    rows = TruncatedSVD(100, random_state=0).fit_transform(words)
    parts = [set(name.split(".")) for name in table["newsgroup"]]
    return pd.DataFrame(rows).add_prefix("d"), pd.DataFrame(
        {tag: [tag in names for names in parts] for tag in TAGS}
    )


TABLES = {"adult": adult, "bank": bank, "newsgroups": newsgroups}
STUDENTS = {
    "net": None,
    "tree": make_pipeline(TablePreprocessor(), DecisionTreeRegressor(min_samples_leaf=10)),
}


def score(y, p):
    """Return the mean log-loss of the labels, and their mean average precision."""
    p = np.clip(p, 1e-3, 1 - 1e-3)
    losses = [log_loss(y[:, j], p[:, j]) for j in range(y.shape[1])]
    return np.mean(losses), average_precision_score(y, p)


def run(table, labels, seed):
    """Return the scores of each arm on one draw of the rows."""
    order = np.random.default_rng(seed).permutation(len(table))[: 2 * N_ROWS]
    fit, test = order[:N_ROWS], order[N_ROWS:]
    y = labels.to_numpy().astype(int)
    X, X_test = (table.iloc[rows].reset_index(drop=True) for rows in (fit, test))
    forest = RandomForestClassifier(200, min_samples_leaf=3, random_state=seed)
    teacher = make_pipeline(TablePreprocessor(), forest).fit(X, y[fit])
    answers = np.column_stack([p[:, 1] for p in teacher.predict_proba(X_test)])
    found = {"teacher": score(y[test], answers)}
    for name, student in STUDENTS.items():
        for arm, alpha in {"plain": 0, "taught": 0.5}.items():
            of = clone(teacher) if alpha else None
            model = DistilledMultilabelClassifier(of, student, alpha=alpha, random_state=seed)
            model.fit(X, y[fit])
            found[f"{name}, {arm}"] = score(y[test], model.predict_proba(X_test))
    return found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = {}
    for name, read in TABLES.items():
        table, labels = read(options.data)
        found[name] = [run(table, labels, seed) for seed in range(options.seeds)]
        print(f"# {name}: {found[name]}", file=sys.stderr, flush=True)
    print(f"{'':<14}" + "".join(f"{name:<36}" for name in TABLES).rstrip())
    for arm in found["adult"][0]:
        print(f"{arm:<14}" + "".join(f"{cell(found[name], arm):<36}" for name in TABLES).rstrip())


def cell(draws, arm):
    """Return the mean scores, and the differences of the log-loss to the plain student."""
    loss, precision = np.mean([draw[arm] for draw in draws], axis=0)
    text = f"{loss:.3f} / {precision:.3f}"
    if arm.endswith("taught"):
        plain = arm.replace("taught", "plain")
        text += "  (" + ", ".join(f"{d[arm][0] - d[plain][0]:+.3f}" for d in draws) + ")"
    return text


if __name__ == "__main__":
    sys.exit(main())
