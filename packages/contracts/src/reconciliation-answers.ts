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

/** What was settled on a day, as the totals of 3201. */
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

/** What differs from the other side's file. */
export const comparisonAnswer = z.object({
  day,
  books,
  compared: z.int().describe('settlements, and settlements refunded, that either side names'),
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
        setl_id: text,
        refd_setl_flag: text,
        column: text.nullable().describe('which amount; null: all of it'),
        here: yuan.nullable().describe('what is said here; null: nothing'),
        there: yuan.nullable().describe('what the other side says; null: nothing'),
      }),
    )
    .describe('by kind and settlement, at most 1,000'),
});
