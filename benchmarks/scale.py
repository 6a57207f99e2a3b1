"""What a row costs in memory and time, whatever the number of rows.

    python benchmarks/scale.py

fits a small student for one epoch on the made-up answers of a teacher, and predicts, on tables of
two sizes, each in a process of its own. Bytes are those beyond the user's own table, labels and
answers, at their peak; what one row takes is the difference of the two sizes, divided by that of
their rows. Time is that of the processor for the larger, of one thread. It reads /proc, so it runs
on Linux alone.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from _scale_fit import CASES

CHILD = Path(__file__).with_name("_scale_fit.py")


def run(case, n_rows):
    """Return bytes and seconds of a fit, and of a prediction."""
    command = [sys.executable, str(CHILD), case, str(n_rows)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs=2, default=[100_000, 400_000], help="two sizes")
    options = parser.parse_args()
    few, many = options.rows
    head = "fit: bytes a row", "us a row", "predict: bytes a row", "us a row"
    print(f"{few} and {many} rows")
    print(f"{'case':<34}" + "".join(f"{name:>22}" for name in head))
    for case in CASES:
        small, large = run(case, few), run(case, many)
        n_more = many - few
        figures = (
            (large[0] - small[0]) / n_more,
            large[1] / many * 1e6,
            (large[2] - small[2]) / n_more,
            large[3] / many * 1e6,
        )
        cells = f"{figures[0]:>22.0f}{figures[1]:>22.1f}{figures[2]:>22.0f}{figures[3]:>22.1f}"
        print(f"{case:<34}{cells}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
