"""How is a transaction decided, and why? Features, rules, model, policy, triage, explanations."""
