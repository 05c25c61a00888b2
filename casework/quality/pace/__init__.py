"""At what pace do people work, and does it wear on their verdicts?"""
