"""Is what comes in still what was learned from, how well does it go, and what changed this week?"""
