"""The peak memory of one fit, measured in a process of its own.

Prints, as JSON, the bytes of the data and targets and the peak over importing torch, and pandas
where it is installed. `speed.py` runs it.
"""

import contextlib
import json
import resource
import sys
from pathlib import Path

import numpy as np
import torch


def peak():
    """Return the greatest resident size so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts the process that started this one as well
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main(n_samples, n_features):
    """Fit on made-up rows and print what it took."""
    with contextlib.suppress(ImportError):
        import pandas  # noqa: F401  scikit-learn would; it is no dependency of the package
    before = peak()
    from skdistill import DistilledClassifier, StudentNet
    from skdistill.students import MLP

    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features), dtype=np.float32)
    y = (X[:, 0] > 0).astype(np.int64)
    soft = np.full((n_samples, 2), 0.1)
    soft[np.arange(n_samples), y] = 0.9
    student = StudentNet(MLP, module__hidden_units=(128, 128), batch_size=1024, max_epochs=2)
    DistilledClassifier(student=student, device="cpu").fit(X, y, soft_targets=soft)
    data = X.nbytes + y.nbytes + soft.nbytes
    print(json.dumps({"data": data, "peak": peak() - before}))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*map(int, sys.argv[1:]))
