"""The HubSpot simulator.

`app` routes; `objects` lists and reads, `search` (with `filters`) searches, `associations` links, `writes` (with
`values`) writes, `settings` has owners, pipelines and properties; `portal` and `tokens` are the account and its keys;
`failures` answers for faults; `control` is HubSpot's own part of the `/_sim` API.
"""
