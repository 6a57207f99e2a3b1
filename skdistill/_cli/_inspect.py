"""`skdistill inspect`: what a saved student says of itself. It imports no torch."""

from skdistill.deployment import inspect


def run(options):
    """Print the summary of a file."""
    print(inspect(options.student))
