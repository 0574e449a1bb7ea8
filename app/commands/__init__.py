"""The commands of ``spanledger``, a module each, which offers ``command``."""
