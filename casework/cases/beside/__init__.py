"""What may a reviewer want beside a dossier that is too dear to work out for a task nobody opens?"""
