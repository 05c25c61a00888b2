"""Where are transactions, and everything that happened to them, kept?"""
