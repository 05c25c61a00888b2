"""What does a reviewer see of a task and its case, and how is it answered?"""
