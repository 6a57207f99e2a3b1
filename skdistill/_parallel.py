"""Work that is shared out by joblib, with results as they come where the backend gives them so."""

from sklearn.utils.parallel import Parallel


def results_of(tasks, n_jobs, *, ordered=True):
    """Return the results of tasks.

    Parameters
    ----------
    tasks : iterable
        As `sklearn.utils.parallel.delayed` makes them.
    n_jobs : int or None
        How many at a time.
    ordered : bool, default=True
        Whether the results come in the order of the tasks.

    Returns
    -------
    iterable
        Each as soon as it is there. A backend that gives none before all are over, as ray's, gives
        them at the end.
    """
    try:
        parallel = Parallel(n_jobs, return_as="generator" if ordered else "generator_unordered")
    except ValueError:
        parallel = Parallel(n_jobs)
    return parallel(tasks)
