/**
 * What was expected of a message, and why it was set aside, for readers of Chinese. The stored and published text is English; it is
 * translated where it is shown. `{}` stands for the variable parts: codes, numbers, names of fields.
 */
const PROBLEM_WORDS: readonly (readonly [en: string, zh: string])[] = [
  ['expected a JSON object in UTF-8', '应为 UTF-8 编码的 JSON 对象'],
  ['expected an event type of this topic', '应为本主题的事件类型'],
  ['expected the record key to be this person', '消息的键应为此人的人员编号'],
  ['expected a moment not so far in the future', '时间不应晚于消息发出之后这么久'],
  ['expected a record with a timestamp of the years 1 to 9999', '消息应带有公元 1 至 9999 年的时间戳'],
  ['expected fund_pay_sumamt + hosp_part_amt + psn_part_amt', '应等于 fund_pay_sumamt + hosp_part_amt + psn_part_amt'],
  [
    'expected fulamt_ownpay_amt + overlmt_selfpay + preselfpay_amt + inscp_scp_amt',
    '应等于 fulamt_ownpay_amt + overlmt_selfpay + preselfpay_amt + inscp_scp_amt',
  ],
  [
    'expected an amount in yuan, at most 99999999999999.99, with at most two decimals',
    '应为以元计的金额，不超过 99999999999999.99，最多两位小数',
  ],
  ['expected an amount as a JSON string or number', '金额应为 JSON 字符串或数字'],
  ['expected an amount above 0.00', '金额应大于 0.00'],
  ['expected a visit type code', '应为医疗类别代码'],
  ['expected a code', '应为代码'],
  ['expected an area code of 6 digits', '应为 6 位医保区划代码'],
  ['expected a text of 1 to 200 characters without control characters', '应为 1 至 200 个字符的文本，不含控制字符'],
  ['expected true or false', '应为 true 或 false'],
  ['expected one of {}', '应为以下之一：{}'],
  ['expected a list of months YYYY-MM', '应为月份的列表，写作 YYYY-MM'],
  ['expected a list of {}', '应为以下代码的列表：{}'],
  ['Too big: expected array to have <={} items', '列表不应超过 {} 项'],
  ['expected an ISO 8601 date and time with an offset or Z', '应为带时区的 ISO 8601 日期时间'],
  ['expected a date YYYY-MM-DD of the years 1900 to 2999', '应为 1900 至 2999 年的日期，写作 YYYY-MM-DD'],
  ['expected a date YYYY-MM-DD', '应为日期，写作 YYYY-MM-DD'],
  ['expected a month YYYY-MM of the years 1900 to 2999', '应为 1900 至 2999 年的月份，写作 YYYY-MM'],
  ['expected a whole number from {} to {}', '应为 {} 至 {} 的整数'],
  ['expected at least one reason for a paused binding', '已暂停的共济关系应至少有一个暂停原因'],
  ['expected the last day of an expired binding, and that it is over', '已到期的共济关系应有最后一日，且该日应已过去'],
  ['the batch it came in holds too much to be read: offsets {} to {}', '消息所在批次内容过多，无法读取：位移 {} 至 {}'],
  ['the batch it came in cannot be read: offsets {} to {}', '消息所在批次无法读取：位移 {} 至 {}'],
  // From the domain's rules and from the workers.
  ['this id was seen before with other content', '此编号此前已用于另外的内容'],
  ['no account.opened was received for this person', '没有收到过此人的 account.opened'],
  ['no account.opened was received for the payer', '没有收到过共济人的 account.opened'],
  ['this payer has no binding of this binding_id', '该共济人没有此 binding_id 的共济关系'],
  ['the balance would exceed 99999999999999.99', '余额会超过 99999999999999.99'],
  ['this person is already open', '此人已经开户'],
  ['a closed account takes no money', '已注销的账户不能入账'],
  ['only insutype 310 has a personal account', '只有职工医保（310）有个人账户'],
  ['a binding of this binding_id exists', '此 binding_id 的共济关系已经存在'],
  ['the state of the binding does not allow this', '共济关系目前的状态不允许这样做'],
  [
    'ARREARS is resumed by hand only with nothing unpaid, where it does not go by itself',
    '因欠缴的暂停，只有没有欠缴且不会自动恢复时才能手工恢复',
  ],
  ['the region asks for one', '当地规定需要填写'],
  ['expected exactly what is held for this person from this refund', '应恰好等于该笔退费为此人保留的金额'],
  ['expected the partition count, {}', '应为分区数 {}'],
  ['expected the partition that the message is on', '应为消息所在的分区'],
  ['held in quarantine and dropped by order of an operator', '曾被隔离，由操作人员下令放弃'],
  ['the worker failed on this message', '服务处理此消息时失败'],
  ['{} bytes, more than a dead letter may hold: see its place', '原消息有 {} 字节，超过死信的上限，请到原位置查看'],
];

const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
const PATTERNS = PROBLEM_WORDS.map(([en, zh]) => ({
  en,
  zh,
  pattern: new RegExp(`^${en.split('{}').map(literally).join('(.+?)')}$`),
}));
/** Details may be shown truncated: a beginning of this length identifies the text. */
const TELLING_LENGTH = 16;

/** The Chinese for an English problem, also a truncated one; undefined where the text is not ours. */
function known(problem: string): string | undefined {
  for (const { pattern, zh } of PATTERNS) {
    const [, ...values] = pattern.exec(problem) ?? [];
    if (pattern.test(problem)) return zh.replaceAll('{}', () => values.shift() ?? '');
  }
  const cut = problem.length < TELLING_LENGTH ? [] : PATTERNS.filter(({ en }) => en.startsWith(problem));
  return cut.length === 1 ? cut[0]?.zh : undefined;
}

/** A problem in Chinese; an unknown text is returned as it is. */
export const problemInChinese = (problem: string): string => known(problem) ?? problem;

/** The detail of a dead letter (`field: what was expected; …`) in Chinese; unknown parts stay as they are. */
export function detailInChinese(detail: string): string {
  const parts = detail.split('; ').map((part) => {
    const [, path, problem = ''] = /^([a-z_]+(?:\.\d+)?): (.*)$/s.exec(part) ?? [];
    const said = path === undefined ? known(part) : known(problem);
    if (said === undefined) return { text: part, isKnown: false };
    return { text: path === undefined ? said : `${path}：${said}`, isKnown: true };
  });
  if (!parts.some(({ isKnown }) => isKnown)) return detail;
  return parts.map(({ text }) => text).join('；');
}
