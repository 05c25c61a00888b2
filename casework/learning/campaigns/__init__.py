"""Which past payments are put before people only to learn from what they say?"""
