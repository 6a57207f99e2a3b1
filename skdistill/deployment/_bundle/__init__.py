"""Folders that serve a student without torch and scikit-learn."""
