"""Answers of a paid teacher on disk, each as soon as it is there."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

BATCH = 500
"""Keys that one query names: SQLite takes a limited number."""


class AnswerStore:
    """Rows of numbers by key, in one file of a folder; safe for several processes.

    Parameters
    ----------
    folder : str or path-like
        Made where it is not there, when something is added.
    """

    def __init__(self, folder):
        self.path = Path(folder) / "answers.sqlite"

    def known(self, keys):
        """Return which of the keys have an answer, as a set."""
        return set(self.read(keys))

    def read(self, keys):
        """Return the answers to those keys that have one, a dict of ndarray."""
        if not self.path.exists():
            return {}
        found: dict[str, np.ndarray] = {}
        unique = list(dict.fromkeys(keys))
        with closing(sqlite3.connect(self.path)) as base:
            for start in range(0, len(unique), BATCH):
                part = unique[start : start + BATCH]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, answer FROM answers WHERE key IN ({marks})"
                found |= {key: np.frombuffer(blob) for key, blob in base.execute(query, part)}
        return found

    def add(self, keys, values, cost):
        """Keep answers, each of which has cost so much.

        Parameters
        ----------
        keys : sequence of str
        values : ndarray of shape (n_keys, n_classes), float64
        cost : float
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows = [(key, row.tobytes(), cost) for key, row in zip(keys, values, strict=True)]
        with closing(sqlite3.connect(self.path, timeout=60)) as base, base:
            base.execute(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer BLOB, cost REAL)"
            )
            base.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?)", rows)

    def spent(self):
        """Return what all answers have cost."""
        return float(self._one("SELECT TOTAL(cost) FROM answers"))

    def count(self):
        """Return the number of answers."""
        return int(self._one("SELECT COUNT(*) FROM answers"))

    def _one(self, query):
        if not self.path.exists():
            return 0
        with closing(sqlite3.connect(self.path)) as base:
            return base.execute(query).fetchone()[0]
