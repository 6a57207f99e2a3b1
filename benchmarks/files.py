"""A fit on files beside the fit in memory: peak memory, time and log-loss.

    python benchmarks/files.py

writes made-up rows of sixteen numbers and four columns of strings, their labels and the answers of
a teacher into Parquet files, and fits the default student on them, each in a process of its own.
Bytes are those beyond the process before the fit, at their peak; time is that of the processor, of
one thread. It reads /proc, so it runs on Linux alone, and takes about 300 bytes of disk a row.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from _files_fit import FILE_ROWS, SMALL_ROWS, write

CHILD = Path(__file__).with_name("_files_fit.py")


def run(way, folder, n_epochs):
    """Return bytes, seconds and log-loss of a fit."""
    command = [sys.executable, str(CHILD), way, str(folder), str(n_epochs)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs=2, default=[1_000_000, 5_000_000])
    parser.add_argument("--compared", type=int, default=500_000, help="rows of the other fits")
    parser.add_argument("--epochs", type=int, default=3, help="of the other fits")
    options = parser.parse_args()
    few, many = options.rows
    compared = [
        ("memory", "drawn", 65_536),
        ("files", "drawn", 65_536),
        ("files", "by class", 65_536),
        ("files", "by class", FILE_ROWS),
    ]
    cases = [
        ("files", few, "drawn", 65_536, 1),
        ("files", many, "drawn", 65_536, 1),
        *((way, options.compared, order, n, options.epochs) for way, order, n in compared),
    ]
    head = f"{'fit':<8}{'rows':>10}{'order':>10}{'group':>9}{'epochs':>8}"
    print(f"{head}{'MB at the peak':>16}{'us a row, epoch':>17}{'log-loss':>10}")
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "small"), SMALL_ROWS, "drawn", 65_536)
        for way, n_rows, order, groups, n_epochs in cases:
            rows = Path(folder, f"{n_rows} {order} {groups}")
            if not rows.exists():
                write(rows, n_rows, order, groups)
            peak, seconds, loss = run(way, rows, n_epochs)
            each = seconds / n_rows / n_epochs * 1e6
            print(
                f"{way:<8}{n_rows:>10}{order:>10}{groups:>9}{n_epochs:>8}{peak / 1e6:>16.0f}"
                f"{each:>17.1f}{loss:>10.4f}",
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main())
