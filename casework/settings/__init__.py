"""Rules, policy and what changing them would do."""
