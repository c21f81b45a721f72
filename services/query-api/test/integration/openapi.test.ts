import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { topicsOf } from '@repo/contracts';
import { createMetrics, startAdminServer } from '@repo/observability';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGuard } from '../../src/access.ts';
import { account, binding, claim, policiesWith, Scene } from './scene.ts';

type Json = Readonly<Record<string, unknown>>;
type Schema = Json & { readonly properties?: Readonly<Record<string, Schema>> };
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly { name: string; in: string; description: string; schema: Json }[];
  readonly responses: Readonly<Record<string, { description: string; content: Json }>>;
  readonly security?: readonly Json[];
}
interface Document extends Json {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly securitySchemes?: Json };
}

/** The first outcome of the scene's shard, and a message that is held there. */
const DEAD = '1-1';
const HELD = 'claims%2F0%4041';
const RULES = { regionCode: '420100', effectiveFrom: '2025-01-01', effectiveTo: null, dailyLimitDefault: '50.00' };

let scene: Scene;
let api: FastifyInstance;
let document: Document;
/** `GET /v1/accounts/{psn_no}`, as Fastify registered it. */
const registered: string[] = [];

beforeAll(async () => {
  scene = await Scene.open({ policies: await policiesWith(RULES) });
  const admin = await startAdminServer({
    port: 0,
    live: {},
    ready: { broker: () => 'no broker answers' },
    metrics: createMetrics({ codes: [], partitions: 0 }),
  });
  const listen = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', ({ method, url }: RouteOptions) => {
      registered.push(`${String(method)} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
    });
  };
  subscribe('fastify.initialization', listen);
  const commands = {
    topics: topicsOf('openapi'),
    send: () => Promise.reject(new Error('nothing is sent here')),
    sendAgain: () => Promise.reject(new Error('nothing is sent here')),
    waitMs: 0,
  };
  api = scene.serve({ adminPort: admin.port, commands, readInput: scene.readInput });
  unsubscribe('fastify.initialization', listen);
  document = (await api.inject('/openapi.json')).json();
  closing.push(
    () => api.close(),
    () => admin[Symbol.asyncDispose](),
  );
});
const closing: (() => PromiseLike<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
  await scene[Symbol.asyncDispose]();
});

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe('the document', () => {
  test('is OpenAPI 3.1', async () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('has every route there is, but for itself and its own page, and HEAD beside GET', () => {
    const routes = registered.filter((route) => !/^HEAD | \/(openapi\.json|docs)/.test(route));
    expect(routes.length).toBeGreaterThan(8);
    expect(
      operations()
        .map(({ path, method }) => `${method.toUpperCase()} ${path}`)
        .sort(),
    ).toEqual(routes.sort());
  });

  test('says of every route what it does, what it takes and what it answers', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations()) {
      const { operationId, summary, tags, parameters = [], responses } = operation;
      expect({ operationId, summary, tags }, path).toEqual({
        operationId: expect.stringMatching(/^\w/),
        summary: expect.stringMatching(/^[A-Z]/),
        tags: [expect.any(String)],
      });
      const inPath = parameters.filter((each) => each.in === 'path').map(({ name }) => `{${name}}`);
      expect(path.match(/\{\w+\}/g) ?? [], path).toEqual(inPath);
      for (const each of parameters)
        expect(each, path).toMatchObject({ description: expect.any(String), schema: { type: 'string' } });
      for (const [status, { description, content }] of Object.entries(responses)) {
        expect(description, `${path} ${status}`).not.toBe('Default Response');
        const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
        if (Number(status) >= 400 && !path.startsWith('/health/'))
          expect(content, `${path} ${status}`).toEqual(problem);
      }
    }
  });

  test('explains every field', () => {
    const unexplained: string[] = [];
    const visit = (value: unknown, place: string): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [name, property] of Object.entries((value as Schema).properties ?? {})) {
        if (property.description === undefined && property.$ref === undefined) unexplained.push(`${place}.${name}`);
      }
      for (const [name, each] of Object.entries(value)) visit(each, `${place}.${name}`);
    };
    visit(document, '');
    expect(unexplained).toEqual([]);
  });

  test('and its page need no token, load nothing from elsewhere, and say how a token is given where one is asked for', async () => {
    expect(document.components.securitySchemes).toBeUndefined();
    const guard = createGuard({ issuer: 'http://127.0.0.1:1', audience: 'gongji' });
    const guarded = scene.serve({ guard });
    closing.push(() => guarded.close());
    const page = await guarded.inject('/docs/');
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.headers['content-security-policy']).toMatch(/default-src 'self'/);
    expect(page.headers['content-security-policy']).not.toMatch(/https?:|validator/);
    const files = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const { pathname, host } = new URL(file, 'http://here/docs/');
      expect([file, host, (await guarded.inject(pathname)).statusCode]).toEqual([file, 'here', 200]);
    }
    const described = (await guarded.inject('/openapi.json')).json() as Document;
    expect(described.components.securitySchemes).toMatchObject({ token: { type: 'http', scheme: 'bearer' } });
    expect(await new Validator().validate(structuredClone(described))).toEqual({ valid: true });
    expect((await guarded.inject('/v1/accounts/P1')).statusCode).toBe(401);
  });
});

/** Requires of every object that it has no property which the document does not name; for its readers it may have more. */
function tightened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tightened);
  if (typeof value !== 'object' || value === null) return value;
  const inside = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, tightened(each)]));
  return 'properties' in value ? { ...inside, additionalProperties: false } : inside;
}

describe('what is answered', () => {
  const seen = new Set<string>();
  let ajv: Ajv2020;

  beforeAll(async () => {
    ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
    formats.default(ajv);
    ajv.addSchema(tightened(document) as Json, 'document');
    await scene.setAside('{', { code: 'EVENT_UNREADABLE', detail: 'expected JSON' });
    await scene.hold(41, '{}', 'TypeError');
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'openapi' };
    await api.inject({ method: 'POST', url: `/v1/quarantine/${HELD}/release`, headers, payload: '{}' });
    await scene.members(
      account('P1', { current_year: '40.00', psn_name: '王小明' }),
      account('P2', { prior_year: '500.00', unpaid_periods: ['2025-01'], arrears_since: '2025-02-01' }),
      account('P3', { prior_year: '500.00' }),
      account('P4', { insu_admdvs: '510100', prior_year: '500.00' }),
      account('R9', { insutype: '390', prior_year: undefined, current_year: undefined }),
      binding('B2', 'P2', { priority: 1, relation: 'CHILD', daily_limit: '300', effective_to: '2025-12-31' }),
      binding('B3', 'P3', { priority: 2 }),
      binding('B4', 'P4', { priority: 3, relation: 'SIBLING', state: 'PAUSED', pause_reasons: ['USER'] }),
      binding('B5', 'P3', { priority: 4, relation: 'PARENT', authorised_amount: '5' }),
      binding('B9', 'P3', { beneficiary: 'R9', relation: 'PARENT' }),
    );
    await scene.settle('claim.submitted', claim());
    await scene.settle('claim.submitted', claim({ claim_id: 'C2', setl_time: '2025-03-10T10:30+08' }));
    await scene.settle('claim.submitted', claim({ claim_id: 'C3', psn_no: 'nobody' }));
    const premium = { payer: 'P3', beneficiary: 'R9', year: 2025, at: '2025-03-10T11:00:00+08:00' };
    await scene.settle('premium.submitted', { ...premium, premium_id: 'PR1', amount: '400' });
    await scene.settle('premium.submitted', { ...premium, premium_id: 'PR2', amount: '401' });
    const refund = { claim_id: 'C1', psn_no: 'P1', at: '2025-03-11T09:00:00+08:00' };
    await scene.settle('claim.refunded', { ...refund, refund_id: 'R1', amount: '120' });
    await scene.settle('claim.refunded', { ...refund, refund_id: 'R2', amount: '999' });
    await scene.settle('claim.refunded', { ...refund, refund_id: 'R3', amount: '1' });
    // As a topic that has let go of what came after the first refund and before it.
    for (const [offset, { value }] of scene.came) if (/"(C2|R3)"/.test(String(value))) scene.came.delete(offset);
    await scene.rows(
      `insert into arrears_check (partition, check_id, on_day, checked, marked) values (0, 'nightly', '2025-03-10', 5, 1)`,
    );
    // As the sharing worker notes it when a missed month becomes known.
    await scene.rows(
      `insert into backdated_draw (psn_no, version, reason, since, cause_type, cause_id, known_at)
       select psn_no, version, 'PAYER_IN_ARREARS', '2025-03-01', 'contribution.missed', 'M', '2025-03-20T09:00:00+08:00'
       from entry where kind in ('CLAIM', 'PREMIUM') and binding_id is not null`,
    );
  });

  const answers: [request: string, status: number, body?: string | Json, type?: string][] = [
    ['GET /v1/accounts/P1', 200],
    ['GET /v1/accounts/P2?at=2025-03-01T00:00:00Z', 200],
    ['GET /v1/accounts/R9', 200],
    ['GET /v1/accounts/P1?at=soon', 400],
    ['GET /v1/accounts/nobody', 404],
    ['GET /v1/bindings?beneficiary=P1', 200],
    ['GET /v1/bindings', 400],
    ['GET /v1/bindings/B2/history', 200],
    ['GET /v1/bindings/none/history', 404],
    [`GET /v1/bindings/${'x'.repeat(201)}/history`, 400],
    ['GET /v1/settlements?psn_no=P1', 200],
    ['GET /v1/settlements?psn_no=R9', 200],
    ['GET /v1/settlements', 400],
    ['GET /v1/settlements?psn_no=P1&after=x', 400],
    ['GET /v1/settlements/C1', 200],
    ['GET /v1/settlements/C2', 200],
    ['GET /v1/settlements/C3', 200],
    ['GET /v1/settlements/PR1', 200],
    ['GET /v1/settlements/PR2', 200],
    ['GET /v1/settlements/C1?form=nhsa', 200],
    ['GET /v1/settlements/C1?form=other', 400],
    ['GET /v1/settlements/PR1?form=nhsa', 400],
    ['GET /v1/settlements/nothing', 404],
    ['GET /v1/refunds/R1', 200],
    ['GET /v1/refunds/R2', 200],
    ['GET /v1/refunds/nothing', 404],
    ['GET /v1/settlements/C1/input', 200],
    ['GET /v1/settlements/PR1/input', 200],
    ['GET /v1/settlements/C2/input', 410],
    ['GET /v1/settlements/nothing/input', 404],
    [`GET /v1/settlements/${'x'.repeat(201)}/input`, 400],
    ['GET /v1/settlements/C1/refunds/R1/input', 200],
    ['GET /v1/settlements/C1/refunds/R2/input', 404],
    ['GET /v1/settlements/C1/refunds/R3/input', 410],
    [`GET /v1/settlements/C1/refunds/${'x'.repeat(201)}/input`, 400],
    ['GET /v1/settlements/C1/explanation', 200],
    ['GET /v1/settlements/C2/explanation?lang=en', 200],
    ['GET /v1/settlements/C3/explanation', 200],
    ['GET /v1/settlements/PR2/explanation', 200],
    ['GET /v1/settlements/C1/explanation?lang=fr', 400],
    ['GET /v1/settlements/nothing/explanation', 404],
    ['GET /v1/usage?payer=P3', 200],
    ['GET /v1/usage?payer=P1', 200],
    ['GET /v1/usage?beneficiary=P1', 200],
    ['GET /v1/usage', 400],
    ['GET /v1/usage?payer=P3&after=x', 400],
    ['GET /v1/usage.csv?payer=P3', 200],
    ['GET /v1/usage.csv?name=x', 400],
    ['GET /v1/usage.xlsx?beneficiary=P1', 200],
    ['GET /v1/usage.xlsx?payer=P3&from=today', 400],
    ['GET /v1/held-refunds', 200],
    ['GET /v1/held-refunds?psn_no=P3', 200],
    ['GET /v1/held-refunds?psn_no=P2&psn_no=P3', 400],
    ['GET /v1/backdated', 200],
    ['GET /v1/backdated?payer=P3', 200],
    ['GET /v1/backdated?payer=P2&payer=P3', 400],
    ['GET /v1/totals?day=2025-03-10', 200],
    ['GET /v1/totals?day=today', 400],
    ['GET /v1/live', 200],
    ['GET /v1/alerts', 200],
    ['GET /v1/reconciliation?day=2025-03-10', 200],
    ['GET /v1/reconciliation?day=2024-03-10&institution=H1', 200],
    ['GET /v1/reconciliation?day=0001-01-01', 200],
    ['GET /v1/reconciliation', 400],
    ['POST /v1/reconciliation/compare?day=2025-03-10', 422],
    ['POST /v1/reconciliation/compare?day=2025-03-10', 200, 'setl_id,acct_pay\nS-C1,40.00\nS-X,1.00\n', 'text/csv'],
    [
      'POST /v1/reconciliation/compare?day=2025-03-10',
      200,
      'day,fixmedins_code,acct_pay,fixmedins_setl_cnt\n2025-03-10,H33010600001,1.00,9\n2025-03-09,H1,1.00,1\n',
      'text/csv',
    ],
    ['POST /v1/reconciliation/compare?day=now', 400, 'setl_id\n', 'text/csv'],
    [
      'POST /v1/reconciliation/compare?day=2025-03-10',
      413,
      `setl_id,acct_pay\n${'S,1.00\n'.repeat(6_000_000)}`,
      'text/csv',
    ],
    ['POST /v1/reconciliation/compare?day=2025-03-10', 415, 'x', 'text/plain'],
    ['POST /v1/reconciliation/compare?day=2025-03-10', 422, 'no,columns\n1,2\n', 'text/csv'],
    ['GET /v1/arrears-checks', 200],
    ['GET /v1/arrears-checks?after=C1&after=C2', 400],
    ['GET /v1/dead-letters?topic=claims&code=EVENT_UNREADABLE', 200],
    ['GET /v1/dead-letters?topic=other', 400],
    [`GET /v1/dead-letters/${DEAD}?content=true`, 200],
    ['GET /v1/dead-letters/1', 400],
    ['GET /v1/dead-letters/1-999', 404],
    ['GET /v1/quarantine', 200],
    ['GET /v1/quarantine?since=soon', 400],
    [`GET /v1/quarantine/${HELD}?content=true`, 200],
    ['GET /v1/quarantine/claims', 400],
    ['GET /v1/quarantine/members%2F0%401', 404],
    ['GET /v1/quarantine-orders/0-1', 200],
    ['GET /v1/quarantine-orders/1', 400],
    ['GET /v1/quarantine-orders/0-999', 404],
    ['GET /v1/policies', 200],
    ['GET /v1/policies/330106?on=2024-06-01&other=2025-06-01', 200],
    ['GET /v1/policies/33', 400],
    ['GET /v1/codes', 200],
    ['POST /v1/quotes', 200, claim({ claim_id: 'C9' })],
    ['POST /v1/quotes', 200, claim()],
    ['POST /v1/quotes', 422, claim({ claim_id: 'C9', psn_part_amt: '1.005' })],
    ['POST /v1/quotes', 422, '{'],
    ['POST /v1/quotes', 413, 'x'.repeat(1_100_000)],
    ['POST /v1/quotes', 415, 'x', 'text/plain'],
    ['GET /health/live', 200],
    ['GET /health/ready', 503],
    ['GET /metrics', 200],
  ];

  test.each(answers)('%s, %i, is as the document says', async (request, status, body, type = 'application/json') => {
    const [method = '', url = ''] = request.split(' ');
    const payload = body === undefined ? {} : { payload: body as object, headers: { 'content-type': type } };
    const answer = await api.inject({ method: method as 'GET', url, ...payload });
    expect(answer.statusCode).toBe(status);
    const found = operations().find(
      ({ path, method: m }) =>
        m === method.toLowerCase() && new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}(\\?|$)`).test(url),
    );
    expect(found?.operation.responses).toHaveProperty(String(status));
    const media = String(answer.headers['content-type']).replace(/;.*/, '');
    expect(Object.keys(found?.operation.responses[status]?.content ?? {})).toEqual([media]);
    const steps = ['paths', found?.path, found?.method, 'responses', status, 'content', media, 'schema'];
    const pointer = steps.map((step) => encodeURIComponent(String(step).replaceAll('~', '~0').replaceAll('/', '~1')));
    const check = ajv.compile({ $ref: `document#/${pointer.join('/')}` });
    const shown = media.endsWith('json') ? (answer.json() as unknown) : answer.body;
    expect(check(shown) ? [] : check.errors).toEqual([]);
    seen.add(`${found?.method} ${found?.path} ${status}`);
  });

  test('every answer of every route has been seen, but for those of a system that is ill', () => {
    const wanted = operations().flatMap(({ path, method, operation }) =>
      Object.keys(operation.responses).map((status) => `${method} ${path} ${status}`),
    );
    // Commands are answered by the workers: test/e2e sees them.
    const ill =
      /^(patch|post) \/v1\/(bindings|settlements|dead-letters|quarantine)| (401|403|414|429|500|503)$|settlements\/\{claim_id\} 409$|health\/(live|ready) 200$|refunds\/\{refund_id\} 400$/;
    expect(wanted.filter((each) => !ill.test(each) && !seen.has(each))).toEqual([]);
  });
});
