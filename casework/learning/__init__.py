"""How do verdicts and outcomes become a better model, without fooling ourselves?"""
