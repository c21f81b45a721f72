import { styleText } from 'node:util';
import { COMMANDS, type CommandName, GROUPS, type GroupName } from './commands.ts';
import type { Language } from './language.ts';

const ABOUT: Readonly<Record<Language, { readonly head: readonly string[]; readonly foot: readonly string[] }>> = {
  en: {
    head: [
      'gongji settles medical claims out of family-shared personal medical-insurance accounts. 职工医保个人账户家庭共济',
      '',
      'Usage: gongji COMMAND [ARGUMENTS]; gongji COMMAND --help says more, gongji --version the version. 中文说明：加 --help --lang zh',
    ],
    foot: [
      'Exit codes: 0 done, 1 it found differences or failed, 2 arguments, settings or a file not understood; each --help says its own.',
      'Settings come from the environment and a file .env. Results go to the standard output, progress to the standard error; --json is for',
      'programs, colours are for terminals alone.',
    ],
  },
  zh: {
    head: [
      'gongji：职工医保个人账户家庭共济的结算系统。',
      '',
      '用法：gongji 命令 [参数]；gongji 命令 --help 显示该命令的详细说明，gongji --version 显示版本。',
    ],
    foot: [
      '退出码：0 完成；1 发现差异或执行失败；2 参数、设置或文件有误，未开始执行。各命令的 --help 另有说明。',
      '设置取自环境变量和 .env 文件。结果写到标准输出，进度和问题写到标准错误；--json 供程序读取，只在终端上显示颜色。',
    ],
  },
};

const GROUPS_ZH: Readonly<Record<GroupName, string>> = {
  Run: '运行',
  'Members and claims': '参保人与结算',
  Rules: '政策规则',
  'Books and reports': '账务与报表',
  Operate: '运维',
};

const SUMMARIES_EN: Readonly<Record<CommandName, string>> = {
  start: 'run the whole system until it is stopped: PostgreSQL, Kafka and every service',
  demo: 'settle a made-up hospital day and watch it',
  setup: 'bring the schema of a database and the topics of a broker to where this version needs them',
  load: 'enter accounts and bindings from a file, by the million',
  explain: 'say in sentences how a claim or premium was settled, and why',
  quote: 'what a claim would come to if it were settled now',
  refund: 'give back a claim or premium, or part of a claim',
  backdated: 'list what was drawn from payers before a fact that speaks against it was known',
  policy: 'check a folder of regional policy packs, or show the rules in force in an area',
  simulate: 'replay past claims under changed rules: who gains, who loses, by how much',
  arrears: 'check for missed contributions as of a date, and pause sharing where a payer is behind',
  audit: 'check every account, settlement and published outcome from the outside',
  books: 'close the books of a day, or list the closed days',
  reconcile: 'daily totals and details of what was settled, and what differs from the other side',
  export: 'write what was settled on some days as Parquet or CSV, with charts',
  'dead-letters': 'list the messages that could not be used, and send them again',
  quarantine: 'list the people whose messages are held since a worker failed on one, and let them go on',
  partitions: 'list the months of the ledger, create those to come, and take old ones to the archive',
  renumber: 'go on after the database has lost commits: number new outcomes behind those already published',
};

const SUMMARIES_ZH: Readonly<Record<CommandName, string>> = {
  start: '启动整个系统（PostgreSQL、Kafka 和全部服务），直到被停止',
  demo: '结算一个虚构城市的医院日，并实时显示',
  setup: '把数据库结构和消息主题调整到本版本所需的状态',
  load: '从文件批量导入账户和共济关系，可达百万条',
  explain: '用文字说明一笔结算或代缴的结果和原因',
  quote: '试算：一笔费用如果现在结算，各方各付多少',
  refund: '退费：退回一笔结算或代缴，或退回结算的一部分',
  backdated: '列出在不利事实得知之前已从共济人账户支付的款项',
  policy: '检查地区政策文件，或显示某地某日适用的规则',
  simulate: '用改变后的规则重算过去的结算：谁得益，谁受损，各多少',
  arrears: '按某日检查欠缴月份，并暂停欠缴共济人的共济',
  audit: '从外部核对每个账户、每笔结算和每条已发布的结果',
  books: '关闭某日的账，或列出已关账的日期',
  reconcile: '对账：每日汇总和明细，以及与对方文件的差异',
  export: '把若干日的结算导出为 Parquet 或 CSV，并画图',
  'dead-letters': '列出无法处理的消息，并重新发送',
  quarantine: '列出因处理失败而被扣留的消息，并放行',
  partitions: '列出账本的月份分区，创建将来的月份，归档过去的月份',
  renumber: '数据库丢失已提交的数据之后，把新结果编到已发布的结果之后',
};

/** The list of commands, by purpose. */
export function describeCommands(language: Language): string {
  const names = Object.keys(COMMANDS) as CommandName[];
  const width = Math.max(...names.map((name) => name.length));
  const summaries = language === 'zh' ? SUMMARIES_ZH : SUMMARIES_EN;
  const { head, foot } = ABOUT[language];
  const listed = (Object.keys(GROUPS) as GroupName[]).flatMap((group) => [
    '',
    styleText('bold', language === 'zh' ? GROUPS_ZH[group] : group),
    ...(Object.keys(GROUPS[group]) as CommandName[]).map((name) => `  ${name.padEnd(width)}  ${summaries[name]}`),
  ]);
  return [...head, ...listed, '', ...foot].join('\n');
}
