"""Reads run folders; makes tables and figures. Never on the training path."""
