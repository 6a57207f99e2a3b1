"""Lines that say how far a long work is, and about how long it will take."""

import time


class Progress:
    """Prints a line whenever it is called with the number of parts that are over.

    Parameters
    ----------
    work : str
        What is going on.
    n_parts : int
    parts : str
        What they are.
    """

    def __init__(self, work, n_parts, parts):
        self.work, self.n_parts, self.parts = work, n_parts, parts
        self.started = time.perf_counter()

    def __call__(self, n_over):
        seconds = time.perf_counter() - self.started
        left = seconds / n_over * (self.n_parts - n_over)
        print(
            f"[skdistill] {self.work}: {n_over} of {self.n_parts} {self.parts}, {seconds:.0f} s, "
            f"about {left:.0f} s left"
        )
