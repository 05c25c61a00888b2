"""How those who sent payments hear what became of them."""
