"""Tasks, lanes, blindness and verdicts: the work of reviewers."""
