"""Who is using the console, and how does a sign-in begin, last and end?"""
