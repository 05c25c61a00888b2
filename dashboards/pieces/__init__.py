"""Of what are all pages made: head, words, colours, charts and tables?"""
