"""The HubSpot simulator: `app` routes, `objects` lists and reads, `search` searches, `associations` links."""
