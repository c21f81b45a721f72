import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import type { Ledger } from '@repo/ledger';
import { Ledger as Books } from '@repo/ledger';
import { until } from '@repo/testkit';
import readXlsx from 'read-excel-file/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { account, binding, claim, policiesWith, Scene } from './scene.ts';

type Row = Readonly<Record<string, string | null>>;

let scene: Scene;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const rules = { regionCode: '420100', effectiveFrom: '2025-01-01', effectiveTo: null, dailyLimitDefault: '80.00' };
  scene = stack.use(await Scene.open({ policies: await policiesWith(rules) }));
  await scene.members(
    account('P1', { current_year: '40.00', psn_name: '王小明' }),
    account('P2', { prior_year: '100.00', current_year: '25.00', psn_name: '李雷' }),
    account('P3', { current_year: '900.00', psn_name: '韩梅梅' }),
    account('P4', { current_year: '10.00', psn_name: '王芳' }),
    account('R9', { insutype: '390', prior_year: undefined, current_year: undefined, psn_name: '=王' }),
    binding('B2', 'P2', { priority: 1, daily_limit: '50.00' }),
    binding('B3', 'P3', { priority: 2, relation: 'CHILD' }),
    binding('B4', 'P3', { beneficiary: 'P4', relation: 'SIBLING' }),
    binding('B9', 'P3', { beneficiary: 'R9', relation: 'PARENT' }),
  );
  const bill = (amount: string) => ({ medfee_sumamt: amount, fund_pay_sumamt: '0.00', psn_part_amt: amount });
  await scene.settle('claim.submitted', claim({ ...bill('150.00'), claim_id: 'C1' }));
  const later = { setl_time: '2025-03-12T23:59:59+08:00', med_type: '41' };
  await scene.settle('claim.submitted', claim({ ...bill('30.00'), ...later, claim_id: '=C2' }));
  await scene.settle('claim.submitted', claim({ ...bill('17.00'), ...later, claim_id: 'C3', psn_no: 'P4' }));
  const at = '2025-03-11T11:00:00+08:00';
  const premium = { premium_id: 'PR1', payer: 'P3', beneficiary: 'R9', year: 2025, amount: '400.00', at };
  await scene.settle('premium.submitted', premium);
  // No cash was paid, so it comes out of what the relative debited last paid.
  const refund = { refund_id: 'R1', claim_id: 'C1', psn_no: 'P1', at: '2025-03-13T09:00:00+08:00', amount: '35.00' };
  await scene.settle('claim.refunded', refund);
  await scene.settle('claim.refunded', {
    ...refund,
    refund_id: 'R2',
    claim_id: 'PR1',
    psn_no: 'R9',
    amount: undefined,
  });
});
afterAll(() => stack.disposeAsync());

const usage = async (query: string) => (await scene.get(`/v1/usage?${query}`)).body as { rows: Row[]; next?: string };
const told = async (query: string) =>
  (await usage(query)).rows.map(
    ({ claim_id, payer, amount, refunded }) => `${claim_id} ${payer} ${amount} ${refunded}`,
  );

describe('a payer', () => {
  test('sees every debit of their account, with what came back, the balance after it and what is left of the day', async () => {
    const { rows, next } = await usage('payer=P3');
    expect(next).toBeUndefined();
    expect(rows[2]).toStrictEqual({
      claim_id: 'C1',
      setl_id: 'S-C1',
      kind: 'CLAIM',
      setl_time: '2025-03-10T10:00:00+08:00',
      payer: 'P3',
      beneficiary: 'P1',
      binding_id: 'B3',
      relation: 'CHILD',
      fixmedins_code: 'H33010600001',
      service_class: 'OUTPATIENT',
      amount: '60.00',
      portion_prior: '0.00',
      portion_current: '60.00',
      refunded: '35.00',
      refd_setl_flag: '1',
      balance_after: '840.00',
      daily_headroom: '55.00',
    });
    expect(
      rows.map(({ claim_id, amount, refunded, balance_after, daily_headroom }) => [
        claim_id,
        amount,
        refunded,
        balance_after,
        daily_headroom,
      ]),
    ).toEqual([
      ['C3', '7.00', '0.00', '833.00', '73.00'],
      ['PR1', '400.00', '400.00', '433.00', null],
      ['C1', '60.00', '35.00', '840.00', '55.00'],
    ]);
  });

  test('sees their own use too, which has no binding and no limit', async () => {
    const { rows } = await usage('payer=P1');
    expect(rows).toMatchObject([
      { claim_id: 'C1', beneficiary: 'P1', binding_id: null, relation: null, daily_headroom: null },
    ]);
  });

  test('finds a beneficiary, a time, and a part of a name', async () => {
    expect(await told('payer=P3&beneficiary=P4')).toEqual(['C3 P3 7.00 0.00']);
    expect(await told('payer=P3&from=2025-03-11&to=2025-03-11')).toEqual(['PR1 P3 400.00 400.00']);
    expect(await told('payer=P3&from=2025-03-13')).toEqual([]);
    expect(await told(`payer=P3&name=${encodeURIComponent(' 王小明 ')}`)).toEqual(['C1 P3 60.00 35.00']);
    // A part of a name would put 王小明 and 王芳 together, in rows that do not name them.
    expect(await told(`payer=P3&name=${encodeURIComponent('王')}`)).toEqual([]);
    expect(await told(`payer=P3&name=${encodeURIComponent('%')}`)).toEqual([]);
  });
});

describe('a beneficiary', () => {
  test('sees what each relative paid for them, and of nobody a balance', async () => {
    const { rows } = await usage('beneficiary=P1');
    expect(await told('beneficiary=P1')).toEqual(['=C2 P2 30.00 0.00', 'C1 P3 60.00 35.00', 'C1 P2 50.00 0.00']);
    for (const row of rows) expect(Object.keys(row)).not.toContain('balance_after');
    for (const row of rows) expect(Object.keys(row)).not.toContain('daily_headroom');
    expect(await told('beneficiary=R9')).toEqual(['PR1 P3 400.00 400.00']);
  });

  test('finds a payer by their whole name', async () => {
    expect(await told(`beneficiary=P1&name=${encodeURIComponent('韩梅梅')}`)).toEqual(['C1 P3 60.00 35.00']);
    expect(await told(`beneficiary=P1&name=${encodeURIComponent('韩')}`)).toEqual([]);
  });
});

test('whoever asks for nobody, or goes on from nowhere, is told what was expected', async () => {
  const detail = async (url: string) => (await scene.get(url)).body.detail;
  for (const path of ['usage', 'usage.csv', 'usage.xlsx']) {
    expect(await detail(`/v1/${path}?from=2025-01-01`)).toBe('payer or beneficiary: expected at least one of them');
  }
  expect(await detail('/v1/usage?payer=P3&to=2025-02-30')).toBe('to: expected a date YYYY-MM-DD');
  const forged = Buffer.from('["2025-03-10","1","a\\u0000"]').toString('base64url');
  for (const after of ['x', forged, Buffer.from('[]').toString('base64url')]) {
    expect(await detail(`/v1/usage?payer=P3&after=${after}`)).toBe('after: expected the `next` of the answer before');
  }
});

describe('an export', () => {
  test('is the same rows as CSV that a spreadsheet reads as text, formulas disarmed', async () => {
    const { headers, body } = await scene.api.inject('/v1/usage.csv?beneficiary=P1');
    expect(headers['content-type']).toBe('text/csv');
    expect(headers['content-disposition']).toBe('attachment; filename="usage.csv"');
    expect(body.startsWith('\uFEFF')).toBe(true);
    const [head = '', ...lines] = body.slice(1).trimEnd().split('\r\n');
    const { rows } = await usage('beneficiary=P1');
    const columns = Object.keys(rows[0] ?? {});
    expect(head.split(',')).toEqual(columns);
    const expected = rows.map((row) => columns.map((name) => (row[name] ?? '').replace(/^=/, "'=")));
    expect(lines.map((line) => line.split(','))).toEqual(expected);
  });

  test('is the same rows as a workbook, amounts as numbers and identifiers as text', async () => {
    const { headers, rawPayload } = await scene.api.inject('/v1/usage.xlsx?payer=P3');
    expect(headers['content-disposition']).toBe('attachment; filename="usage.xlsx"');
    const [
      {
        sheet,
        data: [head = [], ...lines],
      } = { sheet: '', data: [] },
    ] = await readXlsx(rawPayload);
    expect(sheet).toBe('共济使用明细');
    const { rows } = await usage('payer=P3');
    const columns = Object.keys(rows[0] ?? {});
    expect(head).toEqual(columns);
    const isAmount = /^\d+\.\d\d$/;
    const cell = (text: string | null | undefined) =>
      text != null && isAmount.test(text) ? Number(text) : (text ?? null);
    expect(lines).toEqual(rows.map((row) => columns.map((name) => cell(row[name]))));
  });

  test('of nothing has its columns', async () => {
    expect((await scene.api.inject('/v1/usage.csv?payer=nobody')).body.trimEnd().split('\r\n')).toHaveLength(1);
    const [{ data } = { data: [] }] = await readXlsx(
      (await scene.api.inject('/v1/usage.xlsx?payer=nobody')).rawPayload,
    );
    expect(data).toHaveLength(1);
  });
});

describe('a long list', () => {
  const ROWS = 30_000;
  /** So that all of it is more than the network's buffers hold. */
  const LONG = 'x'.repeat(200);
  let reads = 0;
  let broken = false;
  /** The reader's ledger; counts its statements, and fails where told to. */
  const counting = (ledger: Ledger) =>
    ({
      rows: (sql: string, parameters: readonly unknown[]) => {
        reads += 1;
        return ledger.rows(broken && reads > 3 ? 'select 1 / 0' : sql, broken && reads > 3 ? [] : parameters);
      },
    }) as Ledger;
  let api: ReturnType<Scene['serve']>;
  let port: number;

  beforeAll(async () => {
    const refused = claim({ claim_id: LONG, mdtrt_id: LONG, fixmedins_code: LONG, psn_no: 'P3', designated: false });
    await scene.settle('claim.submitted', refused);
    await scene.rows(`insert into entry (psn_no, version, kind, counterpart, reference, binding_id, prior_year, current_year, held,
        prior_year_after, current_year_after, on_day, book_day)
      select 'P3', 1000 + n, 'CLAIM', 'institution:H', '${LONG}', 'B3', 0, -0.01, 0, 0, n, date '2024-01-01' + n / 100, date '2024-01-01'
      from generate_series(1, ${ROWS}) n`);
    const ledger = await Books.open({ url: scene.url, role: 'gongji_reader', name: 'usage' });
    stack.defer(() => ledger.close());
    api = scene.serve({ ledger: counting(ledger) });
    stack.defer(() => api.close());
    await api.listen({ host: '127.0.0.1', port: 0 });
    ({ port } = api.server.address() as AddressInfo);
  });

  const QUERY = 'payer=P3&to=2024-12-31';

  test('is walked page by page, each row once and in order', async () => {
    const seen: string[] = [];
    let next: string | undefined;
    do {
      const page = await usage(`${QUERY}${next === undefined ? '' : `&after=${next}`}`);
      seen.push(...page.rows.map(({ balance_after }) => String(balance_after)));
      next = page.next;
    } while (next !== undefined);
    expect(seen).toEqual(Array.from({ length: ROWS }, (_, i) => `${ROWS - i}.00`));
  });

  test('is sent as fast as its reader takes it, and no faster', async () => {
    reads = 0;
    const socket = connect(port, '127.0.0.1').pause();
    stack.defer(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(`GET /v1/usage.csv?${QUERY} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n`);
    // Nobody takes anything: the network's own buffers fill, and then no page is read any more.
    let before = 0;
    const waits = () => {
      const still = reads > 0 && reads === before;
      before = reads;
      return still;
    };
    await until(waits, { what: 'the export to wait for its reader', everyMs: 500, deadlineMs: 30_000 });
    expect(reads).toBeLessThan(ROWS / 500);
    let lines = 0;
    socket.on('data', (chunk: Buffer) => {
      lines += chunk.toString('latin1').split('\n').length - 1;
    });
    socket.resume();
    await once(socket, 'close');
    expect(reads).toBe(ROWS / 500 + 1);
    expect(lines).toBeGreaterThan(ROWS);
  });

  test('has a place while it is under way, of which there are few', async () => {
    const few = scene.serve({ limits: { exportsMax: 1 } });
    stack.defer(() => few.close());
    await few.listen({ host: '127.0.0.1', port: 0 });
    const { port: there } = few.server.address() as AddressInfo;
    const ask = () => fetch(`http://127.0.0.1:${there}/v1/usage.csv?payer=P3&to=2001-01-01`);
    const socket = connect(there, '127.0.0.1');
    socket.write(`GET /v1/usage.csv?${QUERY} HTTP/1.1\r\nhost: here\r\n\r\n`);
    await once(socket, 'data');
    socket.pause();
    const refused = await ask();
    expect(await refused.json()).toMatchObject({ status: 503, detail: 'expected at most 1 exports at a time' });
    socket.destroy();
    await until(() => ask().then(({ status }) => status === 200), { what: 'the place of a reader who has gone' });
  });

  test('that cannot be read to its end breaks off, so that its reader does not take it for whole', async () => {
    broken = true;
    reads = 0;
    const answer = await fetch(`http://127.0.0.1:${port}/v1/usage.csv?${QUERY}`);
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
    reads = 9;
    expect((await fetch(`http://127.0.0.1:${port}/v1/usage.csv?${QUERY}`)).status).toBe(500);
    broken = false;
  });
});
