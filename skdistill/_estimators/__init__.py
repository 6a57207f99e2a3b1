"""The public estimators, a file for each."""
