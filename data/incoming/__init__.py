"""How does a file of payments or outcomes come in, by which mapping, losing nothing and guessing nothing?"""
