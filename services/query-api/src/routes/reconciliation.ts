import { pipeline, Readable, Transform } from 'node:stream';
import { comparisonAnswer, reconciliationAnswer } from '@repo/contracts';
import { type CalendarDate, formatMoney } from '@repo/domain';
import type { Snapshot } from '@repo/ledger';
import {
  booksOfDays,
  compareTotalsWith,
  compareWith,
  countKinds,
  isInstitution,
  type OtherSide,
  readOtherSide,
  settledRows,
  totalsOf,
  UnusableFile,
} from '@repo/reconcile';
import { z } from 'zod';
import { type Api, responses } from '../openapi.ts';
import { dateParameter } from '../parameters.ts';
import { Problem } from '../problem.ts';
import type { ApiDeps } from '../server.ts';
import type { Slots } from '../slots.ts';

/** Largest file accepted. A city's day has a few hundred thousand rows of about fifty characters. */
const FILE_BYTES_MAX = 32 << 20;
const DIFFERENCES_MAX = 1_000;
const INSTITUTION_PROBLEM = 'expected letters and digits';

const query = z.object({
  day: dateParameter('the date of settlement'),
  institution: z
    .string(INSTITUTION_PROBLEM)
    .refine(isInstitution, INSTITUTION_PROBLEM)
    .optional()
    .describe('定点医药机构编号: of one institution only'),
});
type Query = z.output<typeof query>;
type InTurn = <T>(work: (snapshot: Snapshot) => Promise<T>) => Promise<T>;

/** Reconciliation (对账) of a day: its totals, whether its books are closed, and the differences from the other side's file. */
export function reconciliationRoutes(
  app: Api,
  { openSnapshot, underWay }: ApiDeps & { readonly underWay: { readonly reports: Slots } },
): void {
  // One at a time, because each reads the outcomes of many months.
  let before: Promise<unknown> = Promise.resolve();
  const inTurn: InTurn = async (work) => {
    using _place = underWay.reports.take();
    const done = before.then(async () => {
      await using snapshot = await openSnapshot();
      return await work(snapshot);
    });
    before = done.catch(() => undefined);
    return await done;
  };

  app.get(
    '/v1/reconciliation',
    {
      config: { scopes: ['operate'], slow: true },
      schema: {
        operationId: 'getReconciliation',
        tags: ['Operation'],
        summary:
          'The totals of a day by institution, kind of insurance and clearing class, and whether its books are closed',
        description:
          'As 3201: what was settled less what was refunded that day. Kinds of insurance are those the persons have now.',
        querystring: query,
        response: responses({ of: reconciliationAnswer, is: 'the day' }, { 400: 'a parameter is not as expected' }),
      },
    },
    async ({ query: { day, institution } }) =>
      inTurn(async (snapshot) => {
        const totals = await totalsOf(settledRows(snapshot, { from: day, to: day, institution }));
        return {
          day,
          books: await booksOf(snapshot, day),
          totals: totals.list().map(({ day: _, ...total }) => inYuan(total)),
        };
      }),
  );

  app.register(async (files: Api) => {
    // The other side's file is read as a stream.
    files.removeContentTypeParser('application/json');
    files.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload));
    comparisonRoute(files, inTurn);
  });
}

function comparisonRoute(app: Api, inTurn: InTurn): void {
  app.post(
    '/v1/reconciliation/compare',
    {
      bodyLimit: FILE_BYTES_MAX,
      config: { scopes: ['operate'], takes: 'text/csv', slow: true },
      schema: {
        operationId: 'compareReconciliation',
        tags: ['Operation'],
        summary: 'What differs from the other side’s file of a day',
        description:
          'The file is CSV with a line of column names. With setl_id among them and at least one amount it is details, where refd_setl_flag tells refunds apart; without, it is totals, told apart by some of day, fixmedins_code, insutype and clr_type. Where it has no acct_mulaid_pay, its acct_pay is taken to contain it. Nothing is kept of it.',
        querystring: query,
        response: responses(
          { of: comparisonAnswer, is: 'what differs, by kind' },
          {
            400: 'a parameter is not as expected',
            413: 'the file is larger than 32 MiB',
            415: 'the content is not text/csv',
            422: 'the file cannot be compared: `detail` says why, by line',
          },
        ),
      },
    },
    async ({ query: asked, body }) => {
      const other = await fileOf(body);
      return inTurn((snapshot) => compared(snapshot, asked, other));
    },
  );
}

async function compared(snapshot: Snapshot, { day, institution }: Query, other: OtherSide) {
  const settled = settledRows(snapshot, { from: day, to: day, institution });
  const comparison =
    other.kind === 'DETAILS' ? await compareWith(settled, other) : await compareTotalsWith(settled, other);
  return {
    day,
    books: await booksOf(snapshot, day),
    of: other.kind,
    compared: comparison.compared,
    ...countKinds(comparison),
    differences: comparison.differences.slice(0, DIFFERENCES_MAX).map(inYuan),
  };
}

async function booksOf(snapshot: Snapshot, day: CalendarDate) {
  const [books] = await booksOfDays(snapshot, { from: day, to: day, institution: undefined });
  if (books === undefined) return null;
  const { day: _, ...rest } = books;
  return rest;
}

/** Amounts as text in yuan. */
const inYuan = (row: object): object =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? formatMoney(value as never) : value]),
  );

/** Reads the file as a stream, up to the limit. Throws the problem to answer. */
async function fileOf(body: unknown): Promise<OtherSide> {
  if (!(body instanceof Readable))
    throw new Problem('unusable-file', 'the file cannot be compared: expected CSV as the body');
  let bytes = 0;
  const limited = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      done(bytes > FILE_BYTES_MAX ? new Error('too large') : null, chunk);
    },
  });
  // An error that breaks off the upload reaches the reader of `limited`.
  pipeline(body, limited, () => undefined);
  try {
    return await readOtherSide(limited);
  } catch (error) {
    if (bytes > FILE_BYTES_MAX) throw new Problem('body-too-large', `body: expected at most ${FILE_BYTES_MAX} bytes`);
    if (!(error instanceof UnusableFile)) throw error;
    const issues = error.lines.map(({ line, problem }) => ({ path: `line ${line}`, problem }));
    const more = issues.length === 0 ? {} : { issues };
    throw new Problem('unusable-file', `the file cannot be compared: ${error.withoutContent}`, more);
  }
}
