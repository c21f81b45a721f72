import { finished, Readable } from 'node:stream';
import { encodeUsage, USAGE_COLUMNS, usageAnswer } from '@repo/contracts';
import { atLeastZero, effectiveDailyLimit, type Money, subtract } from '@repo/domain';
import { findUsage, type UsageFilter, type UsagePlace, type UsageRow } from '@repo/ledger';
import { z } from 'zod';
import type { Cells } from '../export/cells.ts';
import { toCsv } from '../export/csv.ts';
import { toXlsx } from '../export/xlsx.ts';
import { type Api, responses } from '../openapi.ts';
import { dateParameter, idParameter, placeParameter, placeText } from '../parameters.ts';
import { Problem } from '../problem.ts';
import { type Access, PERSONAL } from '../scopes.ts';
import type { ApiDeps } from '../server.ts';
import type { Slots } from '../slots.ts';
import { visiblePersons } from '../visible.ts';

const PAGE_MAX = 500;
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

const filter = z.object({
  payer: idParameter('共济人: what left this person’s account, own use included').optional(),
  beneficiary: idParameter('被共济人: what relatives paid for this person').optional(),
  from: dateParameter('the first date of settlement').optional(),
  to: dateParameter('the last date of settlement').optional(),
  name: idParameter('the other person’s whole name: the beneficiary’s where a payer is given, else the payer’s')
    .transform((text) => text.trim())
    .optional(),
});

const DESCRIPTION =
  'One of payer and beneficiary is required. With a payer the rows also say the balance after each debit and what is left of the day’s limit; a beneficiary is never shown these.';
const PROBLEMS = { 400: 'a parameter is not as expected, or both persons are missing' };

/** The usage details (共济使用明细): `GET /v1/usage` by pages, and all of them as `/v1/usage.csv` and `/v1/usage.xlsx`. */
export function usageRoutes(
  app: Api,
  { ledger, policies, underWay }: ApiDeps & { readonly underWay: { readonly exports: Slots } },
): void {
  const encode = (row: UsageRow, side: Side) =>
    encodeUsage(
      row,
      side === 'BENEFICIARY' ? null : { balanceAfter: row.balanceAfter, headroom: headroomOf(row, policies.policyAt) },
    );

  /**
   * In which of the two roles the bearer may read the rows; null: in neither. Only a bearer who may see the payer is shown the payer's
   * balance.
   */
  const sideOf = async (access: Access, { payer, beneficiary }: UsageFilter): Promise<Side | null> => {
    if (payer === undefined && beneficiary === undefined) {
      throw new Problem('bad-parameter', 'payer or beneficiary: expected at least one of them');
    }
    const asked = [payer, beneficiary].filter((person) => person !== undefined);
    const visible = await visiblePersons(access, ledger, asked);
    if (visible.size === 0) return null;
    return payer !== undefined && visible.has(payer) ? 'PAYER' : 'BENEFICIARY';
  };

  app.get(
    '/v1/usage',
    {
      config: { scopes: PERSONAL },
      schema: {
        operationId: 'listUsage',
        tags: ['Usage'],
        summary: 'What an account paid, or what relatives paid for a person',
        description: `${DESCRIPTION} At most ${PAGE_MAX} at a time.`,
        querystring: filter.extend({ after: placeParameter('the `next` of the answer before').optional() }),
        response: responses({ of: usageAnswer, is: 'the newest date first' }, PROBLEMS),
      },
    },
    async ({ query: { after, ...asked }, access }) => {
      const side = await sideOf(access, asked);
      if (side === null) return { rows: [] };
      // Reads one more than is shown, to know whether there are more.
      const found = await findUsage(ledger, asked, { after, limit: PAGE_MAX + 1 });
      const shown = found.slice(0, PAGE_MAX);
      const rows = shown.map((row) => encode(row, side));
      const last = shown.at(-1);
      return found.length > PAGE_MAX && last !== undefined ? { rows, next: placeText(last.place) } : { rows };
    },
  );

  /** All rows, with one page in memory: the next is read when the reader has taken the one before. */
  async function* pagesOf(
    asked: UsageFilter,
    side: Side | null,
    columns: readonly string[],
  ): AsyncGenerator<readonly Cells[]> {
    if (side === null) return;
    let after: UsagePlace | undefined;
    do {
      const page = await findUsage(ledger, asked, { after, limit: PAGE_MAX });
      yield page.map((row) => {
        const fields: Readonly<Record<string, string | null>> = encode(row, side);
        return columns.map((name) => fields[name] ?? null);
      });
      after = page.length < PAGE_MAX ? undefined : page.at(-1)?.place;
    } while (after !== undefined);
  }

  for (const { form, type, of, write } of FORMS) {
    app.get(
      `/v1/usage.${form}`,
      {
        // It would read all rows for nobody.
        exposeHeadRoute: false,
        config: { scopes: PERSONAL },
        schema: {
          operationId: `exportUsage-${form}`,
          tags: ['Usage'],
          summary: `All of the same as ${form.toUpperCase()}`,
          description: DESCRIPTION,
          querystring: filter,
          response: responses({ of, is: 'the rows, sent as they are read', type }, PROBLEMS),
        },
      },
      async ({ query, access }, reply) => {
        const side = await sideOf(access, query);
        const columns = side === 'PAYER' ? USAGE_COLUMNS : USAGE_COLUMNS.filter((name) => !PAYERS_ONLY.has(name));
        const place = underWay.exports.take();
        finished(reply.raw, () => place[Symbol.dispose]());
        const pages = await begun(pagesOf(query, side, columns));
        reply.type(type).header('content-disposition', `attachment; filename="usage.${form}"`);
        return reply.send(Readable.from(write(columns, pages), { objectMode: false }));
      },
    );
  }
}

type Side = 'PAYER' | 'BENEFICIARY';

const PAYERS_ONLY = new Set(['balance_after', 'daily_headroom']);

const AMOUNTS = new Set([...['amount', 'portion_prior', 'portion_current', 'refunded'], ...PAYERS_ONLY]);

const FORMS = [
  { form: 'csv', type: 'text/csv', of: z.string(), write: toCsv },
  {
    form: 'xlsx',
    type: XLSX,
    of: z.string().meta({ format: 'binary' }),
    write: (columns: readonly string[], pages: AsyncIterable<readonly Cells[]>) =>
      toXlsx('共济使用明细', columns, pages, AMOUNTS),
  },
] as const;

/** Reads the first page before anything is sent, so that a read that fails can still be answered with a problem. */
async function begun<T>(pages: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await pages.next();
  return (async function* () {
    if (!first.done) yield first.value;
    yield* pages;
  })();
}

/**
 * What is left of the binding's daily limit on the day of a debit, by the payer's rules on that date, yuan; null where there is no limit.
 */
function headroomOf(
  { kind, binding, payerArea, on, usedOnDay }: UsageRow,
  policyAt: ApiDeps['policies']['policyAt'],
): Money | null {
  if (binding === null || kind === 'PREMIUM') return null;
  const limit = effectiveDailyLimit(binding, policyAt(payerArea, on));
  return limit === null ? null : atLeastZero(subtract(limit, usedOnDay));
}
