"""What alert rules watch: a module for each kind, all with one function, ``measure``."""
