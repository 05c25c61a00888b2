"""What is believed of each payment, by whom, since when, and what of it may be learned from?"""
