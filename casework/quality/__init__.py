"""How consistently and how well people decide."""
