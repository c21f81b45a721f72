import type { CommandName } from './commands.ts';
import { DEFAULTS } from './demo/play.ts';

const FINDS_START = '本目录中正在运行的 npm start 会自动找到；';
const OTHER_DATABASE = `${FINDS_START}GONGJI_DATABASE_URL 可指定另一个数据库。`;
const OWNERS_DATABASE = `${FINDS_START}GONGJI_DATABASE_URL（库主账号）可指定另一个数据库。`;
const API = '查询接口取自本目录中运行的系统，或由 GONGJI_HTTP_URL 指定，令牌在 GONGJI_HTTP_TOKEN 中。';
const FILTERS_ID = '  --id ID                  结算、退费、代缴、共济关系、变更、入账、缴费或检查的编号';

/** What `gongji COMMAND --help` prints in Chinese. A test compares its options, settings and exit codes with the English help. */
export const HELP_ZH: Readonly<Record<CommandName, string>> = {
  start: `用法：gongji start   （在源码目录中：npm start）

启动 PostgreSQL、Kafka 和全部服务，各为独立进程，退出后自动重启。全部就绪后在标准输出打印一行；进度、退出和重启写到标准错误：

  ready kafka=主机:端口 http=http://主机:端口 postgres=连接地址

随后生成控制台页面（如尚未生成），并显示其地址。

按 Ctrl-C 或发 SIGTERM，一分钟内依次停止全部进程；再按一次立即停止。数据和日志在 GONGJI_DATA_DIR（.gongji）中，下次启动时接着使用。

设置，取自环境变量或 .env 文件：
  GONGJI_KAFKA_BROKERS, GONGJI_DATABASE_URL   使用这些服务器，不再自行启动
  GONGJI_SERVERS                              embedded（内置，默认）或 containers（容器）
  GONGJI_KAFKA_PORT, GONGJI_POSTGRES_PORT     内置服务器的端口（默认取空闲端口）
  GONGJI_HTTP_PORT                            HTTP 接口的端口（8080；0 为任一空闲端口）
  GONGJI_ADMIN_PORT                           HTTP 接口的健康检查和指标的端口（默认与 HTTP 接口相同；0 为任一空闲端口）
  GONGJI_DATA_DIR                             数据和日志的目录（.gongji）
  GONGJI_ENVELOPE_KEY_FILE                    被搁置消息的封存密钥（默认 GONGJI_DATA_DIR/envelope.keys，没有就新建）
  GONGJI_POLICY_DIR                           政策文件目录，叠加在自带的政策文件之上；如有问题，启动之前全部列出
  GONGJI_TOPIC_PREFIX, GONGJI_PARTITIONS      消息主题的名称前缀和分区数（gongji，6）
  GONGJI_INPUT_RETENTION_DAYS                 新建输入主题时，消息保留的天数（默认永久保留）
  GONGJI_LOG_LEVEL                            服务日志的详细程度（info）
  GONGJI_CACHE_DIR                            Kafka 程序的存放目录（~/.cache/gongji）

退出码：0 已停止；1 某个服务器或服务无法运行，或未能按时停止；2 参数、设置或政策文件有误；130 或 143 在全部就绪之前被停止。`,

  demo: `用法：gongji demo [--people N] [--claims N] [--seed N]   （在源码目录中：npm run demo -- …）

在临时目录中启动整个系统，送入某个虚构城市的医院和药店一天的费用，显示结算过程，核对账目，然后自行结束。种子相同，城市和这一天也相同。

  --people N   参保人数，默认 ${DEFAULTS.people}
  --claims N   当天的结算笔数，默认 ${DEFAULTS.claims}
  --seed N     种子，默认 ${DEFAULTS.seed}

退出码：0 每笔都恰好答复一次，且核对无差异；1 不是这样；2 参数有误；130 被 Ctrl-C 停止。设有 NO_COLOR 时不显示颜色。`,

  setup: `用法：gongji setup

补做数据库尚缺的结构迁移，创建今后三个月的分区，以及尚缺的消息主题。什么都不缺时不做任何改动，因此每次启动新版本之前都应运行：缺少迁移时服务
不会就绪。npm start 会自动完成这一步。

设置，取自环境变量或 .env 文件：
  GONGJI_DATABASE_URL                     库主账号的连接地址
  GONGJI_KAFKA_BROKERS                    主机:端口，多个用逗号分隔
  GONGJI_KAFKA_TLS_CA, _SASL_MECHANISM …  如何连接 Kafka，见 deploy/README.md
  GONGJI_TOPIC_PREFIX, GONGJI_PARTITIONS  消息主题的名称前缀和分区数（gongji，6）；分区数以后不能再改
  GONGJI_INPUT_RETENTION_DAYS             由本命令新建的两个输入主题保留消息的天数（不设则永久保留）

退出码：0 一切齐备；1 未能完成；2 参数或设置有误。`,

  load: `用法：gongji load FILE [--format csv|ndjson] [--check] [--json]

不经消息主题批量导入账户和共济关系，规则与逐条发送消息相同；同样的消息以后再发送，不再产生任何变化。

  ndjson  每行一个事件：各字段，以及 ce_type（account.opened 或 binding.opened）
  csv     首行为字段名：有 binding_id 的是共济关系，否则是账户。空单元格表示没有该字段；列表用分号分隔；是、否写 true、false；
          单元格内不能换行

先把每一行读入临时表。只要有一行有误，就列出所有有误的行号和原因，什么也不导入。内容相同、已经存在的行会跳过，所以中断之后再运行一次即可接着
导入。

  --format  文件格式；不写则看文件扩展名（.csv；.ndjson、.jsonl）
  --check   只读取和检查，不导入
  --json    输出一个 JSON 对象

退出码：0 全部导入；1 有一行有误；2 参数或设置有误。${OWNERS_DATABASE}
GONGJI_PARTITIONS 必须是其成员主题的分区数：处理进程已经运行过，或设置了 GONGJI_KAFKA_BROKERS 且主题已存在时，数目不符则拒绝导入。
GONGJI_MAX_FUTURE_DAYS 须与处理进程的相同。`,

  explain: `用法：gongji explain CLAIM_ID [--lang zh|en] [--json]

用可以念给参保人听的句子说明：依次用了哪些账户，各付了多少或为什么没有付，剩下多少现金，此后退回了多少。随后以“-”开头、不念给参保人听的各行，
说明只付了一部分的账户为什么没有多付（限于令牌有权查看的账户）。${API}

  --lang   zh（默认）或 en
  --json   原样输出接口的答复

退出码：0 已说明；1 没有这笔结算；2 参数有误，或接口没有应答。`,

  quote: `用法：gongji quote FILE|- [--json]

试算：一笔费用（claim.submitted 的 JSON，取自文件或标准输入）如果现在结算，各方各付多少。不改变、不预占、不记录任何内容。
${API}

  --json   原样输出接口的答复

退出码：0 已试算；1 这笔费用不能使用；2 参数有误，或接口没有应答。`,

  refund: `用法：gongji refund CLAIM_ID [--amount YUAN] [--key KEY] [--json]

把一笔结算的钱原路退回：先退现金，再退亲属（后付的先退），最后退本人账户。它作为 claim.refunded 进入消息主题，由结算服务裁定。
${API}

  --amount  退回个人负担中的多少元；不写则退回全部剩余金额
  --key     本次操作的名称：同一名称再次运行仍是同一笔退费，只退一次。不写则新取一个；结果未知时会显示出来
  --json    原样输出接口的答复

退出码：0 已退费；1 被拒绝；2 参数有误，或接口没有应答；3 已经发出，结果未到：用同一 --key 再次运行即可查询。`,

  backdated: `用法：gongji backdated [--payer PSN_NO] [--json]

按共济人逐个列出在不利事实得知之前已经支付的结算和代缴：某月欠缴、险种变化、账户或共济关系已经终止、已经暂停。系统不追回任何款项：每行写明支付
和已退回的金额（元）、与之不符的事实，以及该事实从何时起成立。补缴后，相应的款项不再列出。

  --payer  只列某一共济人（人员编号）
  --json   每个共济人一个 JSON 对象，每行一个

退出码：0 已列出；2 参数或设置有误。${OTHER_DATABASE}`,

  policy: `用法：gongji policy check [DIR] [--json]
       gongji policy show AREA [--on DATE] [--dir DIR] [--json]

check   把一个目录中的政策文件叠加在自带的政策文件之上读取，列出全部问题；没有问题时列出各政策文件
show    某地（6 位医保区划）某日适用的规则，以及每条规则出自哪个文件

  --on DATE   日期 YYYY-MM-DD，默认为上海当天
  --dir DIR   叠加在自带政策文件之上的目录，默认为 GONGJI_POLICY_DIR
  --json      输出一个 JSON 对象而不是表格；check 为 {"packs":[{region, from, to, file}],"problems":[text]}，二者之一为空

退出码：0 没有问题；1 有问题；2 命令有误。`,

  simulate: `用法：gongji simulate --from DAY --to DAY [--pack FILE] [--svg FILE] [--json]

把输入主题上的全部消息重算两遍：一遍按现行规则，一遍自首日起加上政策文件 FILE；两边各算各的余额，成员事件也一并重放。对这些日子（YYYY-MM-DD，
含首尾两日）的结算，按参保人的地区、险种和人员类别，以及按共济人，说明会有哪些变化。

  --pack   政策文件，写法与 GONGJI_POLICY_DIR 中的相同；替换同一地区、同一起始日的政策。不写则没有变化，仅作检验
  --svg    另把各组现金的变化画成图
  --json   输出一个 JSON 对象

本命令只读，在一个只读事务中进行，系统可以照常运行。无论选哪些日子，输入主题都须保有从第一条起的全部消息：如已不全，则说明各主题从哪一天起是
完整的，不做计算。批量导入的人员后来由事件改变过的情况，视为从约定的默认值开始。GONGJI_MAX_FUTURE_DAYS 须与处理进程当时
的相同。

退出码：0 按现行规则重算的结果与账本完全一致；1 有的不一致（会说明有多少笔，对比的可信程度随之降低）；2 参数、政策文件或设置有误，或输入消息已
不全。`,

  arrears: `用法：gongji arrears --on DATE [--id CHECK_ID] [--json]

向成员主题的每个分片发送截至 DATE（YYYY-MM-DD）的欠费检查，并显示共济服务的进度。对参加职工医保（310）且应缴费的共济人，凡应缴日早于 DATE 而
没有缴费的月份，都标记为欠缴。编号相同的检查只做一次，无论发送多少次；停止本命令并不停止检查。

  --on     检查截至的日期
  --id     检查的编号；不写则为 manual:DATE
  --json   完成时输出一个 JSON 对象

退出码：0 检查已完成；1 一分钟内没有任何进展；2 参数或设置有误。`,

  audit: `用法：gongji audit [--no-kafka] [--json]

不借助记账的代码，从外部核对：每个账户与其分录相等；每笔结算各项相加无误，并分毫不差地记在账户上；Kafka 中的每条结果与 PostgreSQL 中的记录相同。
只读，系统可以照常运行：核对的是开始那一刻的数据库。本目录中正在运行的 npm start 会自动找到。

  --no-kafka   只核对 PostgreSQL
  --json       输出一个 JSON 对象而不是表格

退出码：0 没有差异；1 有差异；2 核对无法进行。

设置，取自环境变量或 .env 文件：
  GONGJI_DATABASE_URL    库主账号，或可以转为 gongji_reader 的账号
  GONGJI_KAFKA_BROKERS   主机:端口，多个用逗号分隔
  GONGJI_TOPIC_PREFIX    消息主题的名称前缀（gongji）
  GONGJI_ENVELOPE_KEY_FILE  死信内容的封存密钥文件；没有密钥就无法核对死信，按差异计
  GONGJI_DATA_DIR        在本目录启动的系统存放数据的目录（.gongji）`,

  books: `用法：gongji books close DAY | list [--json]

close   关闭 DAY（YYYY-MM-DD）及以前各日的账：借贷相等，此后不再有分录记入这些日子；日期落在其中的，记入第一个未关账的日子。
        重复关账没有影响。关账不能撤销，所以（按中国时间）尚未开始的日子会被拒绝；还没有处理程序运行过时也会被拒绝
list    列出有分录的已关账日，借贷两方以元计

  --json  每行一个 JSON 对象

退出码：0 完成；1 被拒绝；2 参数或设置有误。${OWNERS_DATABASE}`,

  reconcile: `用法：gongji reconcile totals|details|compare FILE --day DAY | --from DAY --to DAY [--institution CODE] [--out FILE] [--json]

totals   汇总 CSV：每日、每机构、每险种、每清算类别，结算减退费（同 3201）
details  明细 CSV：每笔结算和退费（同 3202，另附共济、现金、机构和日期）；退费的金额为负
compare  把对方的 CSV 文件 FILE（首行为列名）与本方核对，比较 FILE 中有的每一个金额列：本方缺少的，对方缺少的，金额不同的。有 setl_id 列的
         FILE 是明细，按 setl_id 和 refd_setl_flag 核对；没有的是汇总，按其中有的 day、fixmedins_code、insutype、clr_type 核对，其余各项由
         本方合并。FILE 中没有 acct_mulaid_pay 时，视为已包含在其 acct_pay 中。

DAY 为上海时间的日期 YYYY-MM-DD：结算按 setl_time，退费按退费自己的时间。退另一日的结算，计入退费当日。代缴不属于任何机构，不计入。险种为参保人
现在的险种：如因有人变更险种而使对方的汇总在险种之间移动，请去掉 insutype 列再核对。

  --day DAY           某一日
  --from DAY          首日（含）
  --to DAY            末日（含）
  --institution CODE  只看某一定点医药机构
  --out FILE          汇总和明细写入此文件而不是标准输出；其中有个人信息，请按此类文件保管
  --json              每行一个 JSON 对象而不是 CSV；compare 总共一个

标准错误上说明每日是否已关账，以及借贷两方是否相等。
退出码：0 无差异；1 compare 发现差异，或某日借贷不平；2 参数、FILE 或设置有误。只读。
${OTHER_DATABASE}`,

  export: `用法：gongji export --from DAY --to DAY [--format parquet|csv] [--out DIR] [--charts] [--json]

把这些日子（YYYY-MM-DD，含首尾两日）已发布的内容写成四张表：settlements（结算）、payments（谁为谁付了什么）、skips（跳过了谁，为什么）和
refunds（退费）。各列的含义见 services/cli/README.md。结算和代缴按结算日期，退费按退费自己的日期。

人员编号与消息主题中的相同，以便关联：这些文件是个人信息，仅其所有者可读。姓名、证件号码和余额不在任何文件中。

  --from    首日
  --to      末日
  --format  parquet（默认）或带表头的 csv
  --out     写入的目录，不写则为 gongji-export-首日-末日；同名文件会被替换
  --charts  另运行备好的查询（services/cli/queries），各画成一张 SVG 图
  --json    结束时输出一个 JSON 对象而不是清单

本命令只读，在一个只读事务中进行，系统可以照常运行。${OTHER_DATABASE}
退出码：0 完成；2 参数或设置有误。`,

  'dead-letters': `用法：gongji dead-letters list [筛选条件] [--lang zh|en] [--json]
       gongji dead-letters show PLACE [--value] [--lang zh|en] [--json]
       gongji dead-letters redrive (筛选条件 | --all) [--dry-run] [--json]

list     列出无法处理的消息（控制台称“死信”）：从何处来、代码、何时被判定、类型、编号和大小；不显示其键和内容
show     显示其中一条，PLACE 为 list 所示的位置（claims/3@1042）；加 --value 还显示键、消息头和内容：均为个人信息
redrive  按被判定的先后，把它们连同原来的键、内容和消息头送回原来的主题和分区。被拒绝的消息没有占用编号：它会排在发送方此后所发的消息之后，
         重新裁定。其实已被接受的不会再接受一次，再次被拒绝的会再次成为无法处理的消息。原有的记录保留不动。

筛选条件，须同时满足：
  --topic claims|members   主题
  --partition N            分区
  --code CODE              代码
  --key KEY                键，须完全相同；为人员编号
${FILTERS_ID}
  --since, --until         何时被判定（时刻）：自此时起（含），到此时止（不含）

  --all      全部，不加筛选
  --lang     说明消息有何不符时所用的语言（限于本系统的说明）；不写则随系统语言，--json 时为英文
  --dry-run  只按代码说明将要发送什么，不发送
  --json     每行一个 JSON 对象；redrive 总共一个

退出码：0 完成；1 没有符合条件的，或符合条件的有的不属于这些主题；2 参数或设置有误，或无法读取 Kafka。
需要 GONGJI_KAFKA_BROKERS，或本目录中正在运行的 npm start。`,

  quarantine: `用法：gongji quarantine list [筛选条件] [--json]
       gongji quarantine show PLACE [--value] [--json]
       gongji quarantine release (PLACE | 筛选条件 | --all) [--by NAME] [--why TEXT] [--dry-run] [--no-wait] [--json]
       gongji quarantine drop PLACE --why TEXT [--code CODE] [--by NAME] [--dry-run] [--no-wait] [--json]

服务处理某条消息失败时，会扣留（控制台称“隔离”）这条消息，以及同一主题上同一键（结算为患者，成员为共济人）此后的所有消息。被扣留的消息既不裁定也不发布；其他人的
照常进行，亲属的结算仍可动用此人的账户。没有消息引发的工作（等待过久的退费、过账之后要告知的事项、欠费检查）失败时同样如此，列在 0 以下的位置
（claims/3@-1）：放行后立即重做，仍然失败则再次扣留；它不能丢弃。

list     被扣留的各键，每行一个：第一条被扣留消息的位置（claims/3@1042）、从何时起、多少条、失败原因
show     显示 PLACE 处的消息所属键的全部被扣留消息；加 --value 还显示键、消息头和内容：均为个人信息
release  放行：由分片的处理者按顺序处理该键被扣留的消息，先于该键的新消息；用于缺陷修复之后。仍然失败的消息使放行就此结束，它和其后的消息继续
         扣留
drop     丢弃：把 PLACE 处的一条消息列为无法处理，代码由 --code 指定：EVENT_UNREADABLE（默认）、EVENT_MALFORMED，或对结算消息用
         CLAIM_MALFORMED，它同时告知医院该笔结算被拒绝。其余消息继续扣留，直到放行

筛选条件，须同时满足：
  --topic claims|members   主题
  --partition N            分区
  --key KEY                键，须完全相同；为人员编号
  --since, --until         何时被扣留（时刻）：自此时起（含），到此时止（不含）
${FILTERS_ID}

  --all      全部，不加筛选
  --why      理由，随指令永久保存：其中不要写任何人的姓名和编号
  --by       由谁下达；不写则为系统用户名
  --dry-run  只说明将要下达什么，不下达
  --no-wait  下达之后不等待执行完毕
  --json     输出 JSON

退出码：0 完成；1 该处没有被扣留的消息，或处理仍然失败的消息时指令就此结束，或一分钟内没有进展（指令仍然有效）；2 参数或设置有误，或无法使用数据库。
${OWNERS_DATABASE}
被扣留消息的内容以 GONGJI_ENVELOPE_KEY_FILE 中的密钥封存：没有密钥时，除类型、编号和内容外仍全部显示。`,

  partitions: `用法：gongji partitions list [--json]
       gongji partitions create [--ahead N | MONTH] [--dry-run] [--json]
       gongji partitions archive MONTH [--dry-run] [--json]
       gongji partitions restore MONTH [--dry-run] [--json]

结果按存入的月份分区，分录按记账日的月份分区。落在尚未创建的月份中的，先存入兜底分区，月份创建后移入：不会因为缺少月份而失败。

list     列出各分区的最后月份、行数（PostgreSQL 的估计）、大小、是否已归档；以及今后多少个月已有分区
create   创建本月及其后 N 个月（3，最多 60），或某一个月 MONTH（YYYY-MM），已有的除外
archive  把已结束的月份移到“archive”模式中，此后不再写入。查询、退费、核对和导出照常找得到，这些表可以转储或移到较慢的磁盘。该月的账尚未关闭
         （gongji books close）或有结果尚未发布时会拒绝。原有账本的第一个分区包含其最后月份之前的所有月份，以最后月份命名
restore  取回已归档的月份

  --ahead    创建到今后多少个月
  --dry-run  只说明将要做什么，或为什么会被拒绝，什么也不做
  --json     每行一个 JSON 对象

archive 和 restore 会等待正在读取的一方（例如核对），每次尝试最多使过账停顿四分之一秒。

退出码：0 完成；1 被拒绝，或什么也没有，或读取的一方超过半分钟仍未结束；2 参数或设置有误。
${OWNERS_DATABASE}`,

  renumber: `用法：gongji renumber [--apply] [--json]

用于从备份恢复、或切换到落后副本的数据库：Kafka 中有它不知道的结果，相应的分片停止处理（position-ahead-of-database）。本命令列出这样的分片：
各已发布到哪里，数据库写到哪里。

  --apply   让它们的编号接在已发布的结果之后。须先停止各服务。丢失的结果在服务启动时由输入重新得出，以新的编号和原来的 ce_id 再次发布。
            输出分区的最后一条记录若已过保留期而被删除，编号接在它可能达到的最大值之后，因此可能跳过一些编号；列表中会注明
  --json    每行一个 JSON 对象

请先尝试恢复丢失的数据本身：那样就不需要本命令。设置：GONGJI_DATABASE_URL（库主账号）和 GONGJI_KAFKA_BROKERS，或本目录中正在运行的
npm start。退出码：0 各分片（现在）均一致；1 有的不一致；2 参数或设置有误。`,
};
