"""What does the screen do to verdicts?"""
