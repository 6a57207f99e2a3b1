"""What users bring: rows, tables, labels and files, looked through and left as they are."""
