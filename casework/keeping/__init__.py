"""How is the record kept: backed up, taken away as evidence, trimmed of what it may no longer hold?"""
