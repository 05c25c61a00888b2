"""From a transaction to a durable, replayable decision."""
