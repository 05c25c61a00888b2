"""How well does a score or a set of settings do on the past, and is the present still like it?"""
