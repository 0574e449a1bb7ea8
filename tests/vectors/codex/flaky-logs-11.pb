
Á
Ê
!
telemetry.sdk.version
0.31.0
%
telemetry.sdk.name
opentelemetry
 
telemetry.sdk.language
rust

env
prod

	host.name
vm

service.name

codex_exec

service.version	
0.169.0r

codex_otel::metrics::clientQDEBUG*
flushing OTEL metricsYë­äT¾Wêb$event otel/src/metrics/client.rs:324