"""The libraries compared, and the floors under them. Each runs in a process of its own (``worker``)."""
