"""How does one process serve a workspace, run its jobs, and tell how it is, until it is told to stop?"""
