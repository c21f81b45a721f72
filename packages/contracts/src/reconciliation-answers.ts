import { z } from 'zod';

const text = z.string();
const yuan = z.string().regex(/^-?\d{1,14}\.\d{2}$/);
const day = z.string().meta({ format: 'date' });
const amounts = {
  medfee_sumamt: yuan,
  fund_pay_sumamt: yuan,
  acct_pay: yuan,
  acct_mulaid_pay: yuan,
  cash_payamt: yuan.describe('个人现金支出: in cash'),
} as const;

const books = z
  .object({
    closed: z.boolean().describe('no posting can carry this day any more'),
    entries: z.int().describe('how many postings'),
    debits: text.describe('their sum, yuan'),
    credits: text.describe('their sum, yuan'),
    balanced: z.boolean().describe('both sums are equal'),
  })
  .nullable()
  .describe('the books of the day; null: nothing was posted on it');

/** What was settled on a day, as the totals of transaction 3201. */
export const reconciliationAnswer = z.object({
  day,
  books,
  totals: z
    .array(
      z.object({
        fixmedins_code: text,
        insutype: text,
        clr_type: text,
        ...amounts,
        fixmedins_setl_cnt: z.int().describe('定点医药机构结算笔数: settlements; a refund is not one'),
      }),
    )
    .describe('by institution, kind of insurance and clearing class'),
});

/** An amount; for a count of settlements a number. */
const said = z.union([yuan, z.int()]).nullable();

/** The differences from the other side's file. */
export const comparisonAnswer = z.object({
  day,
  books,
  of: z
    .enum(['DETAILS', 'TOTALS'])
    .describe('what the file holds, by its columns: DETAILS with setl_id, as 3202; TOTALS without, as 3201'),
  compared: z
    .int()
    .describe('of details the settlements, and settlements refunded, that either side names; of totals the groups'),
  same: z.int().describe('those that are the same on both sides'),
  kinds: z
    .array(
      z.object({
        kind: z.enum(['MISSING_HERE', 'MISSING_THERE', 'AMOUNT_DIFFERS']).describe('how they differ'),
        count: z.int().describe('how many'),
      }),
    )
    .describe('every kind there is'),
  differences: z
    .array(
      z.object({
        kind: z.enum(['MISSING_HERE', 'MISSING_THERE', 'AMOUNT_DIFFERS']).describe('how they differ'),
        setl_id: text.optional().describe('of details: which settlement'),
        refd_setl_flag: text.optional().describe('of details: 1, what was refunded of it'),
        day: day.optional().describe('of totals, where the file has this column'),
        fixmedins_code: text.optional().describe('of totals, where the file has this column'),
        insutype: text.optional().describe('of totals, where the file has this column'),
        clr_type: text.optional().describe('of totals, where the file has this column'),
        column: text.nullable().describe('which amount or count; null: all of it'),
        here: said.describe('what is said here; null: nothing'),
        there: said.describe('what the other side says; null: nothing'),
      }),
    )
    .describe('by kind and what differs, at most 1,000'),
});
