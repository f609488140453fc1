"""Stripe and HubSpot simulators that serve one deterministic world of a SaaS company.

`python -m simulators serve` starts both. The world (package `world`) is generated without any
HTTP in mind; `stripe` and `hubspot` answer like the real services do; `control` is the `/_sim` API that
tests and the demo use to set the clock, read the ground truth and order faults.
"""
