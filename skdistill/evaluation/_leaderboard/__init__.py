"""Many students of one teacher, and what each costs."""

from skdistill.evaluation._leaderboard._leaderboard import leaderboard
from skdistill.evaluation._leaderboard._result import COSTS, Leaderboard

__all__ = ["COSTS", "Leaderboard", "leaderboard"]
