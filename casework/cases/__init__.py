"""Cases, what their reviewers are shown, and what happens to the payment."""
