"""How is each subject laid out on its page?"""
