"""Does the loop from verdict to better model gain what it promises, week after week, on the Handbook's payments?"""
