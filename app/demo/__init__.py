"""A simulated hybrid company, whose services report through the real OpenTelemetry SDK."""
