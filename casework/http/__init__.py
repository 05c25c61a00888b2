"""How do people and systems speak to Second Look over HTTP?"""
