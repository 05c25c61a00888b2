"""What would be answered with other inputs, other cut-offs or other settings?"""
