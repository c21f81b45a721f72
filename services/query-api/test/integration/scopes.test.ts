import { randomUUID } from 'node:crypto';
import { topicsOf } from '@repo/contracts';
import { createTopics } from '@repo/messaging';
import { freshTopicPrefix, testBrokers } from '@repo/testkit';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGuard } from '../../src/access.ts';
import { CommandSender } from '../../src/sender.ts';
import { Issuer } from '../issuer.ts';
import { account, binding, claim, Scene } from './scene.ts';

const HOSPITAL = 'H42010600001';
const AT = '2025-03-11T09:00:00+08:00';
/** The first outcome of the scene's shard, and a message that is held there. */
const DEAD = '1-1';
const HELD = 'claims%2F0%4041';

/** Who asks: the patient and a relative who paid, both of 420100, a stranger of 210100, and those who see more than a person. */
const TOKENS = {
  nobody: undefined,
  noScope: { psn_no: 'P1', fixmedins_code: HOSPITAL, insu_admdvs: '000000' },
  noClaim: { scope: 'gongji.self gongji.institution gongji.region' },
  patient: { scope: 'openid gongji.self', psn_no: 'P1' },
  payer: { scope: ['gongji.self'], psn_no: 'P2' },
  stranger: { scope: 'gongji.self', psn_no: 'X9' },
  hospital: { scope: 'gongji.institution', fixmedins_code: HOSPITAL },
  otherHospital: { scope: 'gongji.institution', fixmedins_code: 'H21010600009' },
  city: { scope: 'gongji.region', insu_admdvs: '420100' },
  province: { scope: 'gongji.region', insu_admdvs: ['110000', '420000'] },
  country: { scope: 'gongji.region', insu_admdvs: '000000' },
  county: { scope: 'gongji.region', insu_admdvs: '420106' },
  elsewhere: { scope: 'gongji.region', insu_admdvs: '210000' },
  noArea: { scope: 'gongji.region', insu_admdvs: '42' },
  operator: { scope: 'gongji.operate' },
} as const;
type Bearer = keyof typeof TOKENS;
const BEARERS = Object.keys(TOKENS) as Bearer[];
/** A token that gives nothing is refused everywhere, like one without the scope that a route takes. */
const POWERLESS: readonly Bearer[] = ['noScope', 'noClaim', 'noArea'];
const PERSONS: readonly Bearer[] = ['patient', 'payer', 'stranger'];
const INSTITUTIONS: readonly Bearer[] = ['hospital', 'otherHospital'];
const AROUND: readonly Bearer[] = ['city', 'province', 'country'];

interface Row {
  readonly request: string;
  readonly body?: object;
  /** The same of somebody or something that does not exist; absent where the request names nobody. */
  readonly unknown?: string;
  readonly seenBy: readonly Bearer[];
  readonly refusedTo: readonly Bearer[];
}

const quoted = (over: object) => claim({ claim_id: 'Q1', fixmedins_code: HOSPITAL, ...over });
const aClaim = { seenBy: ['patient', 'hospital', ...AROUND, 'operator'], refusedTo: [] } as const;
const aPremium = { seenBy: ['patient', 'payer', ...AROUND, 'operator'], refusedTo: [] } as const;
const personal = (...seenBy: Bearer[]) =>
  ({ seenBy: [...seenBy, ...AROUND, 'operator'], refusedTo: INSTITUTIONS }) as const;

const forAll = {
  seenBy: [...PERSONS, ...INSTITUTIONS, ...AROUND, 'county', 'elsewhere', 'operator'],
  refusedTo: [],
} as const;
const forOperators = {
  seenBy: ['operator'],
  refusedTo: [...PERSONS, ...INSTITUTIONS, ...AROUND, 'county', 'elsewhere'],
} as const;

const ROWS: readonly Row[] = [
  { request: 'GET /v1/accounts/P1', unknown: 'GET /v1/accounts/none', ...personal('patient') },
  { request: 'GET /v1/accounts/P2', unknown: 'GET /v1/accounts/none', ...personal('payer') },
  { request: 'GET /v1/bindings?payer=P2', unknown: 'GET /v1/bindings?payer=none', ...personal('payer') },
  { request: 'GET /v1/bindings?beneficiary=P1', unknown: 'GET /v1/bindings?payer=none', ...personal('patient') },
  {
    request: 'GET /v1/bindings?payer=P2&beneficiary=P1',
    unknown: 'GET /v1/bindings?payer=none',
    ...personal('patient', 'payer'),
  },
  {
    request: 'GET /v1/bindings/B2/history',
    unknown: 'GET /v1/bindings/none/history',
    ...personal('patient', 'payer'),
  },
  { request: 'GET /v1/settlements/C1', unknown: 'GET /v1/settlements/none', ...aClaim },
  { request: 'GET /v1/settlements/C1?form=nhsa', unknown: 'GET /v1/settlements/none?form=nhsa', ...aClaim },
  { request: 'GET /v1/settlements/C1/explanation', unknown: 'GET /v1/settlements/none/explanation', ...aClaim },
  { request: 'GET /v1/settlements/PR1', unknown: 'GET /v1/settlements/none', ...aPremium },
  { request: 'GET /v1/settlements/PR1/explanation', unknown: 'GET /v1/settlements/none/explanation', ...aPremium },
  { request: 'GET /v1/refunds/R1', unknown: 'GET /v1/refunds/none', ...aClaim },
  { request: 'GET /v1/refunds/RP1', unknown: 'GET /v1/refunds/none', ...aPremium },
  { request: 'GET /v1/settlements/C1/input', unknown: 'GET /v1/settlements/none/input', ...aClaim },
  { request: 'GET /v1/settlements/PR1/input', unknown: 'GET /v1/settlements/none/input', ...aPremium },
  {
    request: 'GET /v1/settlements/C1/refunds/R1/input',
    unknown: 'GET /v1/settlements/none/refunds/R1/input',
    ...aClaim,
  },
  {
    request: 'GET /v1/settlements/PR1/refunds/RP1/input',
    unknown: 'GET /v1/settlements/none/refunds/RP1/input',
    ...aPremium,
  },
  { request: 'GET /v1/usage?payer=P2', unknown: 'GET /v1/usage?payer=none', ...personal('payer') },
  { request: 'GET /v1/usage?beneficiary=P1', unknown: 'GET /v1/usage?beneficiary=none', ...personal('patient') },
  { request: 'GET /v1/usage.csv?payer=P2', unknown: 'GET /v1/usage.csv?payer=none', ...personal('payer') },
  {
    request: 'GET /v1/usage.csv?beneficiary=P1',
    unknown: 'GET /v1/usage.csv?beneficiary=none',
    ...personal('patient'),
  },
  { request: 'GET /v1/usage.xlsx?payer=P2', unknown: 'GET /v1/usage.xlsx?payer=none', ...personal('payer') },
  { request: 'GET /v1/held-refunds?psn_no=P2', unknown: 'GET /v1/held-refunds?psn_no=none', ...personal('payer') },
  {
    request: 'GET /v1/backdated?payer=P2',
    unknown: 'GET /v1/backdated?payer=none',
    seenBy: [...AROUND, 'operator'],
    refusedTo: [...PERSONS, ...INSTITUTIONS],
  },
  { request: 'GET /v1/settlements?psn_no=P1', unknown: 'GET /v1/settlements?psn_no=none', ...personal('patient') },
  { request: 'GET /v1/policies', ...forAll },
  { request: 'GET /v1/policies/420106?on=2024-11-30&other=2024-12-01', ...forAll },
  { request: 'GET /v1/codes', ...forAll },
  { request: 'GET /v1/totals?day=2025-03-10', ...forOperators },
  { request: 'GET /v1/live', ...forOperators },
  { request: 'GET /v1/alerts', ...forOperators },
  { request: 'GET /v1/reconciliation?day=2025-03-10', ...forOperators },
  { request: 'GET /v1/arrears-checks', ...forOperators },
  { request: 'GET /v1/dead-letters', ...forOperators },
  { request: `GET /v1/dead-letters/${DEAD}?content=true`, ...forOperators },
  { request: 'GET /v1/quarantine', ...forOperators },
  { request: `GET /v1/quarantine/${HELD}?content=true`, ...forOperators },
  { request: 'GET /v1/quarantine-orders/0-1', ...forOperators },
  { request: 'GET /metrics', ...forOperators },
];

interface CommandRow {
  readonly request: string;
  readonly body?: object;
  /** A file instead. */
  readonly csv?: string;
  /** What is answered to who may; 202 where the workers would have to be waited for. */
  readonly status?: number;
  readonly sentBy: readonly Bearer[];
  readonly hiddenFrom: readonly Bearer[];
}
const byPayer = { sentBy: ['payer', 'operator'], hiddenFrom: ['stranger'] } as const;
const byStaff = { sentBy: ['operator'], hiddenFrom: [] } as const;
/** Whoever is in neither list is refused: the patient too, who may see the binding. */
const COMMANDS: readonly CommandRow[] = [
  {
    request: 'POST /v1/bindings',
    body: { payer: 'P2', beneficiary: 'P1', relation: 'SPOUSE' },
    sentBy: ['payer', 'operator'],
    hiddenFrom: [],
  },
  { request: 'POST /v1/bindings/B2/approve', ...byStaff },
  { request: 'POST /v1/bindings/B2/reject', ...byStaff },
  { request: 'POST /v1/bindings/B2/revoke', ...byPayer },
  { request: 'POST /v1/bindings/B2/pause', ...byPayer },
  { request: 'POST /v1/bindings/B2/resume', ...byPayer },
  { request: 'PATCH /v1/bindings/B2', body: { priority: 3 }, ...byPayer },
  { request: 'POST /v1/settlements/C1/refunds', sentBy: ['hospital', 'operator'], hiddenFrom: ['otherHospital'] },
  {
    request: 'POST /v1/dead-letters/redrive',
    body: { dead_letters: [DEAD], dry_run: true },
    status: 200,
    ...byStaff,
  },
  { request: 'POST /v1/reconciliation/compare?day=2025-03-10', csv: 'setl_id,acct_pay\n', status: 200, ...byStaff },
  { request: `POST /v1/quarantine/${HELD}/release`, body: {}, ...byStaff },
  { request: `POST /v1/quarantine/${HELD}/drop`, body: { reason: 'tried' }, ...byStaff },
];

let scene: Scene;
let sender: CommandSender;
let api: FastifyInstance;
let open: FastifyInstance;
const issuer = new Issuer();
const headers = new Map<Bearer, { authorization?: string }>();

beforeAll(async () => {
  scene = await Scene.open();
  await scene.setAside('{', { code: 'EVENT_UNREADABLE', detail: 'expected JSON' });
  await scene.hold(41, '{}', 'TypeError');
  await scene.members(
    account('P1', { current_year: '40.00', psn_name: '王小明' }),
    account('P2', { current_year: '560.00', psn_name: '李雷' }),
    account('X9', { current_year: '80.00', insu_admdvs: '210100' }),
    account('X8', { current_year: '80.00', insu_admdvs: '210100' }),
    binding('B2', 'P2'),
    binding('B8', 'X8', { beneficiary: 'X9' }),
  );
  await scene.settle('claim.submitted', claim({ fixmedins_code: HOSPITAL }));
  await scene.settle('claim.submitted', claim({ claim_id: 'C9', psn_no: 'X9', fix_blng_admdvs: '210106' }));
  await scene.settle('claim.refunded', { refund_id: 'R1', claim_id: 'C1', psn_no: 'P1', at: AT, amount: '20' });
  const premium = { payer: 'P2', beneficiary: 'P1', year: 2025, amount: '400', at: AT };
  await scene.settle('premium.submitted', { premium_id: 'PR1', ...premium });
  await scene.settle('claim.refunded', { refund_id: 'RP1', claim_id: 'PR1', psn_no: 'P1', at: AT });
  // As the workers note them for payers whose fact became known late, and whose account is closed.
  await scene.rows(
    `insert into backdated_draw (psn_no, version, reason, since, cause_type, cause_id, known_at)
     select psn_no, version, 'PAYER_IN_ARREARS', '2025-03-01', 'contribution.missed', 'M', '2025-03-20T09:00:00+08:00'
     from entry where kind = 'CLAIM' and binding_id is not null`,
  );
  await scene.rows(`insert into held_refund (psn_no, refund_id, amount) values ('P2', 'R1', 20), ('X8', 'R8', 5)`);
  await issuer.start();
  const key = await issuer.addKey();
  for (const bearer of BEARERS) {
    const claims = TOKENS[bearer];
    headers.set(bearer, claims === undefined ? {} : { authorization: `Bearer ${await issuer.sign(key, claims)}` });
  }
  const connection = { brokers: testBrokers().split(','), clientId: 'scopes' };
  const prefix = freshTopicPrefix();
  await createTopics({ connection, prefix, partitions: 2 });
  sender = new CommandSender(connection);
  const commands = { topics: topicsOf(prefix), send: sender.send, sendAgain: sender.sendAgain, waitMs: 0 };
  const guard = createGuard({ issuer: issuer.url, audience: 'gongji' });
  api = scene.serve({ guard, adminPort: 1, commands, readInput: scene.readInput });
  open = scene.serve({ adminPort: 1, readInput: scene.readInput });
  // The first order there is.
  await ask('operator', `POST /v1/quarantine/${HELD}/release`, {});
});
afterAll(async () => {
  await api.close();
  await sender[Symbol.asyncDispose]();
  await open.close();
  await issuer.stop();
  await scene[Symbol.asyncDispose]();
});

async function ask(bearer: Bearer | 'open', request: string, body?: object | string) {
  const [method = '', url = ''] = request.split(' ');
  const sent = body === undefined ? {} : { payload: body };
  const type = typeof body === 'string' ? 'text/csv' : 'application/json';
  const json = body === undefined ? {} : { 'content-type': type };
  const token = bearer === 'open' ? {} : headers.get(bearer);
  const answer = await (bearer === 'open' ? open : api).inject({
    method: method as 'GET',
    url,
    headers: { ...token, ...json, 'idempotency-key': randomUUID() },
    ...sent,
  });
  // A workbook holds the second at which it was made.
  return { status: answer.statusCode, body: url.includes('.xlsx') ? `${answer.rawPayload.length} bytes` : answer.body };
}

const CELLS = ROWS.flatMap(({ request, unknown, seenBy, refusedTo }) =>
  BEARERS.map((bearer) => {
    const refused = [...POWERLESS, ...refusedTo].includes(bearer);
    const cell = bearer === 'nobody' ? 401 : refused ? 403 : seenBy.includes(bearer) ? 'seen' : 'hidden';
    return { request, unknown, bearer, cell } as const;
  }),
);

test.each(CELLS)('$request of $bearer is $cell', async ({ request, unknown, bearer, cell }) => {
  const answer = await ask(bearer, request);
  const missing = unknown === undefined ? undefined : await ask(bearer, unknown);
  if (typeof cell === 'number') {
    expect(answer.status).toBe(cell);
    if (missing !== undefined) expect(answer).toEqual(missing);
  } else if (request === 'GET /metrics') {
    // The port behind it is closed here: it was let through.
    expect(answer.status).toBe(500);
  } else if (cell === 'hidden') {
    expect(answer).toEqual(missing);
  } else {
    expect(answer.status).toBe(200);
    expect(answer).not.toEqual(missing);
    expect(answer).toEqual(await ask('open', request));
  }
});

const COMMAND_CELLS = COMMANDS.flatMap(({ request, body, csv, status = 202, sentBy, hiddenFrom }) =>
  BEARERS.map((bearer) => {
    const cell = sentBy.includes(bearer) ? status : hiddenFrom.includes(bearer) ? 404 : 403;
    return { request, body: csv ?? body, bearer, cell: bearer === 'nobody' ? 401 : cell };
  }),
);

test.each(COMMAND_CELLS)('$request of $bearer is $cell', async ({ request, body, bearer, cell }) => {
  const answer = await ask(bearer, request, body);
  expect(answer.status).toBe(cell);
  if (cell !== 404) return;
  const missing = await ask(bearer, request.replace(/B2|C1/, 'none'), body);
  expect(answer).toEqual(missing);
});

describe('a quote', () => {
  const own: readonly Bearer[] = ['hospital', ...AROUND, 'operator'];
  test.each(BEARERS)(
    'by %s is made for their own persons and institutions alone, and tells nobody who exists',
    async (bearer) => {
      const of = async (over: object) => (await ask(bearer, 'POST /v1/quotes', quoted(over))).status;
      const elsewhere = { fixmedins_code: 'H21010600099' };
      if (bearer === 'nobody') expect(await of({})).toBe(401);
      else expect(await of({})).toBe(own.includes(bearer) ? 200 : 403);
      if (bearer === 'nobody' || bearer === 'operator') return;
      expect(await of({ psn_no: 'none', ...elsewhere })).toBe(403);
      expect(await of({ psn_no: 'X8', ...elsewhere })).toBe(bearer === 'country' || bearer === 'elsewhere' ? 200 : 403);
    },
  );
});

test('a patient gets a quote only where it shows no relative’s account, however the claim is made', async () => {
  const of = async (bearer: Bearer, over: object) => await ask(bearer, 'POST /v1/quotes', quoted(over));
  const large = { medfee_sumamt: '9000000', psn_part_amt: '9000000', fund_pay_sumamt: '0' };
  const refused = await of('patient', { ...large, fixmedins_code: 'H21010600099' });
  expect(refused.status).toBe(403);
  expect(refused.body).toContain('what relatives hold');
  expect(refused.body).not.toContain('allocation');
  // Nobody pays for the payer.
  expect((await of('payer', { psn_no: 'P2' })).status).toBe(200);
});

describe('a list that names nobody', () => {
  const lists = async (bearer: Bearer, path: string, list: string, who: string) => {
    const { status, body } = await ask(bearer, `GET ${path}`);
    if (status !== 200) return status;
    return (JSON.parse(body)[list] as Record<string, string>[]).map((each) => each[who]);
  };
  test.each<[Bearer, number | string[], number | string[]]>([
    ['nobody', 401, 401],
    ['noClaim', 403, 403],
    ['patient', [], 403],
    ['payer', ['P2'], 403],
    ['hospital', 403, 403],
    ['city', ['P2'], ['P2']],
    ['province', ['P2'], ['P2']],
    ['county', [], []],
    ['elsewhere', ['X8'], ['X8']],
    ['country', ['P2', 'X8'], ['P2', 'X8']],
    ['operator', ['P2', 'X8'], ['P2', 'X8']],
  ])('shows %s only what is theirs', async (bearer, held, backdated) => {
    expect(await lists(bearer, '/v1/held-refunds', 'held', 'psn_no')).toEqual(held);
    expect(await lists(bearer, '/v1/backdated', 'payers', 'payer')).toEqual(backdated);
  });
});

test('a beneficiary who asks for one payer’s usage sees what was paid for them, and never the payer’s balance', async () => {
  const pair = 'GET /v1/usage?payer=P2&beneficiary=P1';
  const [row] = JSON.parse((await ask('patient', pair)).body).rows;
  expect(row).toMatchObject({ payer: 'P2', beneficiary: 'P1' });
  expect(Object.keys(row)).not.toContain('balance_after');
  expect(Object.keys(row)).not.toContain('daily_headroom');
  expect(JSON.parse((await ask('payer', pair)).body).rows[0]).toHaveProperty('balance_after');
  const csv = (await ask('patient', 'GET /v1/usage.csv?payer=P2&beneficiary=P1')).body;
  expect(csv).toContain('P2');
  expect(csv).not.toMatch(/balance_after|daily_headroom/);
});

test('what a patient reads anywhere holds no balance of a relative', async () => {
  for (const { request, seenBy } of ROWS) {
    if (!seenBy.includes('patient') || request.includes('xlsx')) continue;
    // 560.00 less 110.00 for the claim, plus 20.00 refunded, less and plus the premium.
    expect((await ask('patient', request)).body, request).not.toMatch(/560\.00|450\.00|470\.00|\b70\.00/);
  }
});

test('without an issuer everything is open', async () => {
  for (const { request } of ROWS.filter(({ request: each }) => each !== 'GET /metrics')) {
    expect([request, (await ask('open', request)).status]).toEqual([request, 200]);
  }
  expect((await ask('open', 'POST /v1/quotes', quoted({}))).status).toBe(200);
});

test('the document says of every route which scopes it takes, and no route is missing in this table', async () => {
  const { paths } = (await api.inject('/openapi.json')).json() as {
    paths: Record<string, Record<string, { security?: { token?: string[] }[] }>>;
  };
  const inTable = (method: string, path: string) => {
    const pattern = new RegExp(`^${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '[^/]+')}(\\?.*)?$`);
    const commands = COMMANDS.map(({ request, sentBy }) => ({ request, refusedTo: refusedBy(sentBy) }));
    return [...ROWS, ...commands].filter(({ request }) => pattern.test(request));
  };
  /** Whose kind of token a command does not take at all. */
  const refusedBy = (sentBy: readonly Bearer[]): Bearer[] => [
    ...(sentBy.includes('payer') ? [] : (['stranger'] as const)),
    ...(sentBy.includes('hospital') ? [] : (['otherHospital'] as const)),
    'elsewhere',
  ];
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { security }] of Object.entries(methods)) {
      if (path.startsWith('/health/')) {
        expect(security).toEqual([]);
        continue;
      }
      const told = security?.map(({ token = [] }) => token[0]?.replace('gongji.', ''));
      expect(told?.at(-1), path).toBe('operate');
      if (path === '/v1/quotes') continue;
      const rows = inTable(method, path);
      expect(rows.length, `${method} ${path}`).toBeGreaterThan(0);
      const refusedTo = rows[0]?.refusedTo ?? [];
      const taken = { self: 'stranger', institution: 'otherHospital', region: 'elsewhere' } as const;
      const expected = Object.entries(taken).flatMap(([scope, bearer]) => (refusedTo.includes(bearer) ? [] : [scope]));
      expect(told, path).toEqual([...expected, 'operate']);
    }
  }
});

test('a route that no scope opens is for operators, and a path that is none is told to whoever has a token', async () => {
  expect((await ask('stranger', 'GET /v1/elsewhere')).status).toBe(404);
  expect((await ask('nobody', 'GET /v1/elsewhere')).status).toBe(401);
});

test('an issuer’s own claim names are read where they are set', async () => {
  const claims = { scope: 'scp', person: 'https://id.example/person', institution: 'org', region: 'area' };
  const renamed = scene.serve({ guard: createGuard({ issuer: issuer.url, audience: 'gongji', claims }) });
  const key = await issuer.addKey();
  const statusOf = async (given: Record<string, unknown>, url: string) => {
    const authorization = `Bearer ${await issuer.sign(key, given)}`;
    return (await renamed.inject({ url, headers: { authorization } })).statusCode;
  };
  const named = { scp: ['gongji.self', 'gongji.institution', 'gongji.region'] };
  expect(await statusOf({ ...named, 'https://id.example/person': 'P1' }, '/v1/accounts/P1')).toBe(200);
  expect(await statusOf({ ...named, area: '210000' }, '/v1/accounts/X9')).toBe(200);
  expect(await statusOf({ ...named, org: HOSPITAL }, '/v1/settlements/C1')).toBe(200);
  expect(await statusOf({ ...named, scope: 'gongji.self', psn_no: 'P1' }, '/v1/accounts/P1')).toBe(403);
  await renamed.close();
});
