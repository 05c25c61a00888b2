"""What do people do with uncertain decisions, and what is learned from it? Cases, tasks, verdicts, labels, the API."""
