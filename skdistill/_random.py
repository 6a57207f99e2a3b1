"""Seeds drawn from a `random_state` without touching the global generators."""

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["draw_seeds", "seed_parameters"]


def draw_seeds(random_state, n_seeds):
    """Draw integer seeds.

    Parameters
    ----------
    random_state : int, numpy.random.RandomState or None
        None takes fresh entropy from the operating system, so that numpy's global generator is
        neither read nor advanced.
    n_seeds : int
        How many to draw.

    Returns
    -------
    list of int
    """
    if random_state is None:
        random_state = np.random.RandomState(np.random.SeedSequence().generate_state(4))
    generator = check_random_state(random_state)
    return generator.randint(np.iinfo(np.int32).max, size=n_seeds).tolist()


def seed_parameters(estimator, seed):
    """Draw each `random_state` of an estimator and its parts that is None from a seed.

    Parameters
    ----------
    estimator : estimator
        Changed in place.
    seed : int
    """
    generator = np.random.RandomState(seed)
    for name, value in sorted(estimator.get_params(deep=True).items()):
        if (name == "random_state" or name.endswith("__random_state")) and value is None:
            estimator.set_params(**{name: generator.randint(np.iinfo(np.int32).max)})
