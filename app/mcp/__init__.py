"""``spanledger mcp``: what the API answers, for models, over the Model Context Protocol.

A client of the API and of nothing else: it reads with its caller's key, and changes nothing.
"""
