"""Measures: numbers about trained networks and their projections."""
