
ê
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
0.169.0š

codex_otel.log_only€	INFO2

event.name
codex.sse_event2)

event.kind
response.output_item.done2
duration_ms
202-
event.timestamp
2026-11-22T10:37:56.390Z29
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
flakyY>[òQ¾Wêb/event otel/src/events/session_telemetry.rs:1089