"""Where do people differ from each other, from the model and from what turned out, and what do those cases share?"""
