"""How far apart does a guideline leave people who all judge the same cases?"""
