"""Does Second Look do what it says?"""
