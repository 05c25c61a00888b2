"""What do the institution's own rules say about one transaction, or about millions?"""
