"""What must be shown of a challenger before it may decide anything?"""
