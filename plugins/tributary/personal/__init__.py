"""Personal data: what becomes of it before anything is staged, and who was erased."""
