"""Project parts of trained networks onto pixel space, and write the paper about it."""
