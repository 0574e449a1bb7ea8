
ñ
¹

service.namespace
shop

team

payments
'
deployment.environment.name
latest

opencode.client
cli

opencode.run

b49f4feb

service.instance.id
x

service.name

opencode
-
telemetry.sdk.name
@effect/opentelemetry
"
telemetry.sdk.language
nodejs

service.version	
1.18.33²

opencode1.18.33P
G¸k-(§..X>-îF§¤T¯©g¸¹=)"¢iŸn™ĞÈ*FileSystem.isDir09ƒ|jxXêAËÈìxxXêzØ
G¸k-(§..X>-îF§¤TW¼’°bÀç"ƒ	†NıÁê˜*sql.execute09óÕiyxXêA¬GoyxXêJ
db.system.name
sqliteJ$
db.operation.name
executeValuesJI
db.query.text8
6select "model" from "session" where "session"."id" = ?zK
G¸k-(§..X>-îF§¤TÄ<°¶L„æ"f}”â¼*Session.get09t®¹yxXêA-´ÃyxXêzú
G¸k-(§..X>-îF§¤T‘”e‚ò¶"İ(í%…Ò*sql.execute09¤Ğï{xXêA±ò{xXêJ
db.system.name
sqliteJ$
db.operation.name
executeValuesJk
db.query.textZ
Xselect "seq", "owner_id" from "event_sequence" where "event_sequence"."aggregate_id" = ?zH
G¸k-(§..X>-îF§¤TuqÄhA3q"x‚—²GÔv*Auth.all09qaCŠyXêAy¸ÁŠyXêzH
G¸k-(§..X>-îF§¤T$>¡J´+"
Q0“ÏK½Õ*Auth.get095v|ŒyXêAÅ…ŒyXêzH
G¸k-(§..X>-îF§¤T€d›P²ı9"
Q0“ÏK½Õ*Auth.get09¹oyXêAéñ¥yXêzÔ
G¸k-(§..X>-îF§¤TuÊÃ‘"rŠÒZ)ş=*FileSystem.readJson09³$yXêA\ÙMyXêZÖ	\ÙMyXê	exception!
exception.type
PlatformError=
exception.message(
&NotFound: FileSystem.readFile (/app/x)^
exception.stacktraceF
DPlatformError: NotFound: FileSystem.readFile (/app/x)
    atâ€¦(cut)z*&NotFound: FileSystem.readFile (/app/x)H
G¸k-(§..X>-îF§¤T‚­^æc¯aÂ"Ò‚—QªÇü*Auth.all09îmiyXêAFpyXêzG
1=ŠC£ÏW“kP§¯>‚%M”Ë»±ûb"M¨…Ö uâz*Git.run09HşŞ)xXêAf‘¡yXêzG
G¸k-(§..X>-îF§¤T|^$Öâ74§"
Q0“ÏK½Õ*Env.all09]0ö“yXêA6òø“yXêzÔ
G¸k-(§..X>-îF§¤Tä#hØWÊ®Ø"†Ë›<9c*FileSystem.readJson09ú¹•yXêAµGX–yXêZÖ	µGX–yXê	exception!
exception.type
PlatformError=
exception.message(
&NotFound: FileSystem.readFile (/app/x)^
exception.stacktraceF
DPlatformError: NotFound: FileSystem.readFile (/app/x)
    atâ€¦(cut)z*&NotFound: FileSystem.readFile (/app/x)Ô
G¸k-(§..X>-îF§¤Tz¤˜óK¿†ï"¥)Ù/:™*FileSystem.readJson09¨?˜yXêAÄ›˜yXêZÖ	Ä›˜yXê	exception!
exception.type
PlatformError=
exception.message(
&NotFound: FileSystem.readFile (/app/x)^
exception.stacktraceF
DPlatformError: NotFound: FileSystem.readFile (/app/x)
    atâ€¦(cut)z*&NotFound: FileSystem.readFile (/app/x)H
G¸k-(§..X>-îF§¤TÂI/7ä|"Úı’Ø­Aí*Auth.all09Ğv<˜yXêAí_D˜yXêzâ
G¸k-(§..X>-îF§¤TnhÆ'õ7‰"’ïö 4Èd*sql.execute09œ˜yXêA™q˜yXêJ
db.system.name
sqliteJ$
db.operation.name
executeValuesJS
db.query.textB
@select "aggregate_id", "seq" from "event" where "event"."id" = ?zK
G¸k-(§..X>-îF§¤TØA|„ÄŸĞv"rùf©Ôáãz*Session.get09@™yXêACì™yXêzK
G¸k-(§..X>-îF§¤TéR8çÇ«r
"óò™°Ò^*Session.get09w:×yXêA6¡)yXêzú
G¸k-(§..X>-îF§¤T—$_c_ª+"KS#WD’A*sql.execute09©¤¡yXêA•¡yXêJ
db.system.name
sqliteJ$
db.operation.name
executeValuesJk
db.query.textZ
Xselect "seq", "owner_id" from "event_sequence" where "event_sequence"."aggregate_id" = ?zI
1=ŠC£ÏW“kP§¯>‚WRİ¢×w2"¡ÇÎF²°*	Vcs.state09ÔÒ)xXêAZ»¢yXêzT
G¸k-(§..X>-îF§¤TÄbÛ¤(¾r¡"‰£'ÅîäÌK*Provider.getLanguage09P°yXêAÇ²æ±yXêz