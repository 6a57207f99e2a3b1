"""What a saved student weighs and takes to load, beside a pickle of the same.

    python benchmarks/saved_files.py adult_train.csv.gz income

Seconds are CPU time of a process of its own: that of loading alone, and with its imports.
"""

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from skdistill import DistilledClassifier
from skdistill.deployment import save

ROUNDS = 5
TIMED = """
import sys, time
start = time.process_time()
{imports}
ready = time.process_time()
{line}
print(time.process_time() - ready, time.process_time() - start)
"""
WAYS = {
    "inspect": ("from skdistill.deployment import inspect", "inspect(sys.argv[1])"),
    "load": (
        "from skdistill.deployment import load; import skdistill.deployment._load",
        "load(sys.argv[1])",
    ),
    "pickle": (
        "import pickle, skdistill.training, skdistill.students",
        "pickle.load(open(sys.argv[1], 'rb'))",
    ),
}


def main():
    """Fit the default student on labels alone, write it both ways, and print the table."""
    rows = pd.read_csv(sys.argv[1], na_values="?")
    labels = rows.pop(sys.argv[2])
    model = DistilledClassifier(alpha=0, random_state=0).fit(rows, labels)
    with tempfile.TemporaryDirectory() as folder:
        saved = save(model, Path(folder) / "student.safetensors")
        pickled = Path(folder) / "student.pkl"
        pickled.write_bytes(pickle.dumps(model.student_))
        print(f"{'':8} {'bytes':>9} {'alone, ms':>10} {'with imports, ms':>17}")
        for way, (imports, line) in WAYS.items():
            path = pickled if way == "pickle" else saved
            words = [sys.executable, "-c", TIMED.format(imports=imports, line=line), str(path)]
            found = [
                [float(n) for n in subprocess.check_output(words, text=True).split()]
                for _ in range(ROUNDS)
            ]
            alone, together = (1000 * min(values) for values in zip(*found, strict=True))
            print(f"{way:8} {path.stat().st_size:>9} {alone:>10.1f} {together:>17.0f}")


if __name__ == "__main__":
    main()
