"""A plugin of pytest for the tests of a soak: other examples each time, as its seed says."""

from hypothesis import HealthCheck, settings

# Deadlines would fail on a machine with a soak on it, whatever the product does.
settings.register_profile("soak", deadline=None, suppress_health_check=[HealthCheck.too_slow])
