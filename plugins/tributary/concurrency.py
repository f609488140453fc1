"""How many extractions run beside each other; each keeps to its share of the account's request budget."""

#: Slots of the pools `api_<source>`, as in include/pools.json: extractions of one source, over all DAGs and machines.
POOL_SLOTS = {"stripe": 16, "hubspot": 4}
#: Of these, extractions of one stream.
STREAM_TASKS = 4
