"""What do several fallible reviewers together say about an item, and how sure is it?"""
