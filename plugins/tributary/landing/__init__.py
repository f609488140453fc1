"""Landing: what the API answered, as objects in the lake, with a manifest once it is complete."""
