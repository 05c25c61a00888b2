"""How do rows reach DuckDB's file safely, and how are they read while others write?"""
