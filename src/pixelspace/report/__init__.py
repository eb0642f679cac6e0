"""The report: numbers, the LaTeX template and its compilation."""
