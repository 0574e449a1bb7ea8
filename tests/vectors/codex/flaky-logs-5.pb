
√
 
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
0.169.0Û

codex_otel.log_onlyÅ	INFO2

event.name
codex.sse_event2*

event.kind
response.output_item.added2
duration_ms
192-
event.timestamp
2026-11-22T10:37:56.308Z29
conversation.id&
$01a202d5-7f4e-78c3-bec6-0df457b3e89d2
app.version	
0.169.02

originator

codex_exec2
terminal.type
xterm2
model
flaky2
slug
flakyY ÷MæWÍb/event otel/src/events/session_telemetry.rs:1089’	INFO2

event.name
codex.turn_ttft2
duration_ms
3302-
event.timestamp
2026-11-22T10:37:56.309Z29
conversation.id&
$01a202d5-7f4e-78c3-bec6-0df457b3e89d2
app.version	
0.169.02

originator

codex_exec2
terminal.type
xterm2
model
flaky2
slug
flakyY5MæWÍb.event otel/src/events/session_telemetry.rs:393