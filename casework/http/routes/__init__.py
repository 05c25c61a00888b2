"""What can be asked of Second Look over HTTP, subject by subject?"""
