"""Prompts and answers, kept for some days where somebody switched that on."""
