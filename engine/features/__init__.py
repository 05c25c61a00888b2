"""What was known about a transaction's entities at the moment it happened?"""
