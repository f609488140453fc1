"""HubSpot's CRM: `source` is what the pipeline calls, the other modules have one purpose each.

How the API behaves, and why that matters, is in docs/sources/hubspot.md.
"""

from tributary.sources.hubspot.source import HubSpot

SOURCE = HubSpot()
