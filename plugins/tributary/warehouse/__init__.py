"""BigQuery: table layouts, the stage load and the load transaction. Talks to it through one protocol."""
