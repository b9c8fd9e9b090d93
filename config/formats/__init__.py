"""How the console writes dates (FORMAT_MODULE_PATH)."""
