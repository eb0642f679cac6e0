"""What `pixelspace.datasets.rendered` draws with: shapes, light, surfaces, hardships."""
