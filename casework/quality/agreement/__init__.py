"""How far do reviewers agree, and how sure can one be of it?"""
