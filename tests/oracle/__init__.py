"""What the warehouse must hold, worked out a second time from the simulators' books alone.

Nothing here imports the pipeline or the dbt project: a mistake there must not be able to hide here. Every mapping is
written by hand from the documentation of the two APIs, not derived from the contracts.
"""

from tests.oracle.books import Books
from tests.oracle.clv import expected_clv
from tests.oracle.compare import compare_clv, compare_raw
from tests.oracle.identity import expected_people
from tests.oracle.raw import Load, expected_raw

__all__ = ["Books", "Load", "compare_clv", "compare_raw", "expected_clv", "expected_people", "expected_raw"]
