"""A page to look around in: units and images, each with all that is shown of it.

`panels` says what there is to see of what, `sheets` makes the pictures, `page` writes the files.
"""
