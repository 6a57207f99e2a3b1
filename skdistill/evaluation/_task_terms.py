"""The numbers that a task is scored by, as its methods pass them on."""

from __future__ import annotations

import numpy as np

from skdistill.evaluation._bootstrap import BootstrapInterval

Terms = dict[str, np.ndarray]
"""By name an array of shape (n_samples,)."""

Rates = dict[str, tuple[Terms, np.ndarray]]
"""By metric the terms of each arm, and which rows it is a mean over."""

Differences = dict[tuple[str, str], dict[str, BootstrapInterval]]
"""By two arms the differences of their metrics."""
