"""Answers of a paid teacher on disk, each as soon as it is there."""

import sqlite3
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from skdistill._words import one_line
from skdistill.exceptions import TeacherError

BATCH = 500
"""Keys that one query names: SQLite takes a limited number."""
LOCKS: dict[Path, threading.RLock] = {}
"""By the file; threads that ask with one folder take turns, so that no row is asked twice."""
TABLES = (
    "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer BLOB, cost REAL)",
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value)",
)


class AnswerStore:
    """Rows of numbers by key, in one file of a folder; safe for several processes.

    Parameters
    ----------
    folder : str or path-like
        Made by `open_for`, where it is not there.
    """

    def __init__(self, folder):
        self.path = Path(folder) / "answers.sqlite"
        self.turn = LOCKS.setdefault(self.path.resolve(), threading.RLock())

    def check(self, classes):
        """Refuse a file whose answers are about other classes, or these in another order.

        Parameters
        ----------
        classes : list
            The labels of the columns.

        Raises
        ------
        TeacherError
        """
        known = self._about("classes")
        longest = self._one("SELECT MAX(LENGTH(answer)) FROM answers")
        unlike = longest and longest not in (8, 8 * len(classes))  # of a file that names none
        if known not in (None, repr(classes)) or (known is None and unlike):
            came = known or f"{longest // 8} classes"
            raise TeacherError(
                f"The answers in {self.path} are about {came}, and the classes are {classes!r}; "
                f"expected the same ones in the same order. Set classes to them, or give another "
                f"folder."
            )

    def open_for(self, classes):
        """Make the file ready to be written, and say in it what its answers are about.

        Parameters
        ----------
        classes : list

        Raises
        ------
        TeacherError
            Where nothing can be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _useless(self.path, error) from error
        with self._opened() as base:
            for table in TABLES:
                base.execute(table)
            base.execute("INSERT OR IGNORE INTO about VALUES ('classes', ?)", (repr(classes),))

    def known(self, keys):
        """Return which of the keys have an answer, as a set."""
        return set(self.read(keys))

    def read(self, keys):
        """Return the answers to those keys that have one, a dict of ndarray."""
        if not self.path.exists():
            return {}
        found: dict[str, np.ndarray] = {}
        unique = list(dict.fromkeys(keys))
        with self._opened() as base:
            for start in range(0, len(unique), BATCH):
                part = unique[start : start + BATCH]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, answer FROM answers WHERE key IN ({marks})"
                found |= {key: np.frombuffer(blob) for key, blob in base.execute(query, part)}
        return found

    def add(self, answers, cost):
        """Keep answers, each of which has cost so much, in a file that is open for them.

        Parameters
        ----------
        answers : dict of str to ndarray of shape (n_numbers,), float64
            By key.
        cost : float
        """
        rows = [(key, values.tobytes(), cost) for key, values in answers.items()]
        with self._opened() as base:
            base.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?)", rows)

    def called(self):
        """Return when somebody was asked last, in seconds of the epoch; minus infinity if never."""
        return -np.inf if (when := self._about("called")) is None else when

    def call(self, when):
        """Remember that somebody is asked now."""
        with self._opened() as base:
            base.execute("INSERT OR REPLACE INTO about VALUES ('called', ?)", (when,))

    def spent(self):
        """Return what all answers have cost."""
        # As many times a price, for a sum of its copies is off in its last digits.
        alike = "SELECT cost * COUNT(*) AS part FROM answers GROUP BY cost"
        return float(self._one(f"SELECT TOTAL(part) FROM ({alike})"))

    def count(self):
        """Return the number of answers."""
        return int(self._one("SELECT COUNT(*) FROM answers"))

    def _about(self, name):
        if not self._one("SELECT COUNT(*) FROM sqlite_master WHERE name = 'about'"):
            return None
        return self._one("SELECT MAX(value) FROM about WHERE name = ?", name)

    def _one(self, query, *values):
        if not self.path.exists():
            return 0
        with self._opened() as base:
            return base.execute(query, values).fetchone()[0]

    @contextmanager
    def _opened(self):
        """Lend the file for a transaction."""
        try:
            with closing(sqlite3.connect(self.path, timeout=60)) as base, base:
                yield base
        except sqlite3.Error as error:
            raise _useless(self.path, error) from error


def _useless(path, error):
    return TeacherError(
        f"{path} cannot keep the answers of a paid teacher ({one_line(error)}); expected a file "
        "that one has written, or a folder that can be written to. Give another folder."
    )
