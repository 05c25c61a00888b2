"""What does Second Look look like after ten weeks at a simulated institution?"""
