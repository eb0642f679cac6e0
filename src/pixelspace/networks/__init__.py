"""Networks: described without TensorFlow in one module each, built and trained with it."""
