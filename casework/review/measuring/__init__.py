"""How are reviewers measured: golden cases, re-serves, training, and what a design costs and tells?"""
