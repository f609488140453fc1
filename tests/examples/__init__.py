"""A book of worked examples: rows of one account in, numbers out, with the public definition that says why."""
