"""Our own traces: what our processes do, told by OTLP to whoever runs us. Off unless it is set."""
