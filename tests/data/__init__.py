"""Does the ledger keep what it is given?"""
