"""Sets how many extractions run in parallel, and the request rate of each.

No extraction knows of the others, which may run in other processes and on other machines. Airflow bounds their number,
by the pool of the source and by `max_active_tis_per_dag` for a stream; each keeps to its share of the account's budget.
"""

import math

#: Slots of the pools `api_<source>`, as in include/pools.json: extractions of one source at a time.
POOL_SLOTS = {"stripe": 20, "hubspot": 5}
#: Of these, extractions of one stream.
STREAM_TASKS = 5
#: Seconds by which a request may arrive earlier than evenly spaced: tasks and network are never quite regular.
_SLACK = 0.03


def spacing(requests: float, seconds: float, tasks: int) -> float:
    """Seconds between two requests of one of `tasks` tasks that together send at most `requests` in any `seconds`.

    The requests are evenly spaced, so that there are no bursts, and each task has a whole number of them: with a
    fraction of one, windows in which the tasks happen to coincide would hold more than the budget.
    """
    each = math.floor(requests / tasks)
    return (seconds + _SLACK) / each if each else (seconds + _SLACK) * tasks / requests
