"""What can an auditor find out about any decision, any day and the whole record, without changing anything?"""
