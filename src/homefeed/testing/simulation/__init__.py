"""A simulated world, where what is wanted is known: what a recipe does over weeks of serving and training.

from homefeed.recipe import parse_recipe
from homefeed.testing.simulation import SimulatedWorld, simulate

for week in simulate(parse_recipe(declared, "mine"), SimulatedWorld(), weeks=6, seed=0):
    print(week.number, week.ranked_by, week.expected.mean())
"""

from homefeed.testing.simulation.pages import Shown, learned_from
from homefeed.testing.simulation.service import Service
from homefeed.testing.simulation.weeks import Week, simulate
from homefeed.testing.simulation.world import SimulatedWorld, Truth, make_truth

__all__ = ["Service", "Shown", "SimulatedWorld", "Truth", "Week", "learned_from", "make_truth", "simulate"]
