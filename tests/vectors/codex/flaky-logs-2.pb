
œ
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
0.169.0Ì	

codex_otel.log_only¢	INFO2#

event.name
codex.startup_phase2-
startup.phase
thread_start_create_thread2
startup.status
ready2
duration_ms
222-
event.timestamp
2026-11-22T10:37:55.941Z29
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
flakyY +8¾Wêb.event otel/src/events/session_telemetry.rs:377š	INFO2#

event.name
codex.startup_phase2%
startup.phase
thread_start_total2
startup.status
ready2
duration_ms
522-
event.timestamp
2026-11-22T10:37:55.969Z29
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
flakyYR.Õ8¾Wêb.event otel/src/events/session_telemetry.rs:377ð	INFO2!

event.name
codex.user_prompt2
prompt_length
22
prompt

[REDACTED]2-
event.timestamp
2026-11-22T10:37:56.001Z29
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
flakyYB£¸:¾Wêb/event otel/src/events/session_telemetry.rs:1200