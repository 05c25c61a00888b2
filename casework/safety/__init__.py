"""How do people, and the breaker, keep control of what decides while it decides?"""
