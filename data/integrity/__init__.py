"""Does the record still say what was written, and who could have made it say something else?"""
