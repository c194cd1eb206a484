"""The mapping file: which columns of a source become which fields of our rows, and how."""
