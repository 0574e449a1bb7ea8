"""Puts the parts together: settings, command line, processes, logs."""
