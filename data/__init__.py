"""Where are transactions, and everything that happened to them, kept? The ledger, its events, ingest and the simulator."""
