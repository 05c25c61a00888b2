"""Which models are there, what is known of each, and which one decides?"""
