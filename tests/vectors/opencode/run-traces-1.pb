
ì
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
1.18.33­

opencode1.18.33H
Ó˜Pm<u…à³)ˆt¦
–v^XıÌ¾Òg*SQLiteDrizzle.make09dÓµ7wXêA$É9wXêzæ
IófèÒ'áÙ»€G4ÕÈçÑ·EêX$—-*sql.execute09Ø%<wXêA9'(<wXêJ
db.system.name
sqliteJ.
db.operation.name
executeWithoutTransformJW
db.query.textF
D
        CREATE TABLE `account_state` (
          `id` integâ€¦(cut)zæ
¼aË±;„2¶WŸ.@T­"”Õj‡è"*sql.execute09
Û›<wXêAñB<wXêJ
db.system.name
sqliteJ.
db.operation.name
executeWithoutTransformJW
db.query.textF
D
        CREATE TABLE `part` (
          `id` text PRIMARY Kâ€¦(cut)z…
ËcXéuì­@”"sÙàÚ—İšcÏ*sql.execute09U…±<wXêAÏ°²<wXêJ
db.system.name
sqliteJ.
db.operation.name
executeWithoutTransformJv
db.query.texte
cCREATE INDEX `message_session_time_created_id_idx` ON `message` (`session_id`,`time_created`,`id`);zá
Õ™>)ºÛ.=–›ü{5Z5Ë-®¢Š «È*sql.execute09©
?wXêAö?wXêJ
db.system.name
sqliteJ.
db.operation.name
executeWithoutTransformJR
db.query.textA
?CREATE INDEX `session_project_idx` ON `session` (`project_id`);zÜ
ù~f6"¿¬ÈB|5.)ûÙ‚¤‡Ñ®ı*sql.execute09ÍX@?wXêA˜«@?wXêJ
db.system.name
sqliteJ.
db.operation.name
executeWithoutTransformJM
db.query.text<
:INSERT INTO "migration" (id, time_completed) VALUES (?, ?)zÜ
)³'<–2˜W»Vo 9çñZåÕıø*sql.execute09ò“H?wXêA…ïH?wXêJ
db.system.name
sqliteJ.
db.operation.name
executeWithoutTransformJM
db.query.text<
:INSERT INTO "migration" (id, time_completed) VALUES (?, ?)zÜ
%‰ĞJÓ3;!eôF§ÚeÙàüæ *sql.execute09/O[?wXêA¶Ï[?wXêJ
db.system.name
sqliteJ.
db.operation.name
executeWithoutTransformJM
db.query.text<
:INSERT INTO "migration" (id, time_completed) VALUES (?, ?)zÜ
v¨8¬†ó6zªc,¼ãéıûäú?Ïùş=*sql.execute09=ÌAwXêA‘2AwXêJ
db.system.name
sqliteJ.
db.operation.name
executeWithoutTransformJM
db.query.text<
:INSERT INTO "migration" (id, time_completed) VALUES (?, ?)zN
1=ŠC£ÏW“kP§¯>‚êwç7eH"Æ·ëµxup*AppProcess.run09¹õ¯¼wXêA©¯b¿wXêz]
1=ŠC£ÏW“kP§¯>‚Â A,Ùc9–"Ö¨$Í¿(E*FileSystem.readFileStringSafe097@fÈwXêA§”ÈwXêzU
1=ŠC£ÏW“kP§¯>‚éiÈ<´5¾"M§WT‹yj*FileSystem.existsSafe09?˜½ÌwXêA ÃÌwXêzJ
1=ŠC£ÏW“kP§¯>‚\!5=ÓÙÄÑ"$U–49'*
Config.get09ñ7yxXêA™€xXêzK
1=ŠC£ÏW“kP§¯>‚§B3v|W"ÚSêL‡*Format.init09ûøîxXêAKYøxXêzJ
a®6ËÖ™¦v{X·=Ô]‰ÄVùĞ™*ProjectCopy.register09ãòaIxXêA³­fIxXêzS
¬N¥ÃH	³L.¿AfÊ+ªShºS»†"`úŠ	Ë¯*SessionShare.create09B¢ô_xXêAÉ#âbxXêzR
G¸k-(§..X>-îF§¤TÎ*;A"û…²©vŒ£l*InstanceStore.load09¨Å¾fxXêAºÀfxXêz