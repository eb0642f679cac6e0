"""Figures: each module draws one kind of figure from one kind of artifact."""
