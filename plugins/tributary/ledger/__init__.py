"""The ledger: what is loaded, asked by sensors and people."""
