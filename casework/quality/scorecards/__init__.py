"""How well does a person review, shown to that person first, and when does somebody need a talk?"""
