"""Which months are closed, and closing one."""
