"""Prompts and answers, where somebody switched them on: for days."""
