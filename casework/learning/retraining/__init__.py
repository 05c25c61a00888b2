"""How does a retrain start, run, end and leave nothing half done?"""
