"""The Stripe simulator: `app` routes, `reader` answers for any collection of the table in `world.resources`.

`event_list` lists events, `mishaps` is Stripe's part in the fault menu, `errors` says no.
"""
