import { BOUNDS, RELATIONS } from '@repo/domain';
import { z } from 'zod';

const stop = z.object({
  by: z
    .enum([...BOUNDS, 'UNKNOWN'])
    .describe('the limit that the payment came to; UNKNOWN: the ledger no longer tells'),
  sentence: z.string().describe('for staff and the owner of the account, not to be read to the patient'),
  limit: z
    .string()
    .optional()
    .describe('what must remain, was authorised, or may be paid on a day or towards a claim; yuan'),
  used: z.string().optional().describe('of that limit, before this payment; yuan'),
});

const step = z.object({
  source: z.enum(['OWN', 'RELATIVE', 'CASH']),
  account: z.string().optional(),
  binding_id: z.string().optional(),
  relation: z.enum(RELATIONS).optional(),
  amount: z.string().optional(),
  code: z.string().optional().describe('why it paid nothing'),
  sentence: z.string().describe('to be read aloud'),
  stopped_by: z
    .array(stop)
    .optional()
    .describe('of an account that paid less than was asked of it: why no more; only for whoever may see that account'),
  policy: z
    .object({
      region: z.string(),
      version: z.string(),
      parameter: z.string().optional(),
      value: z
        .union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.record(z.string(), z.array(z.string()))])
        .optional()
        .describe('the value of that parameter'),
    })
    .optional()
    .describe('the rules by which it was judged, and the parameter that decided'),
});

/** A settlement explained in words, as HTTP answers it. */
export const explanationAnswer = z.object({
  claim_id: z.string(),
  lang: z.enum(['zh', 'en']).describe('the language of the sentences'),
  sentences: z.array(z.string()).describe('everything, to be read aloud in this order'),
  steps: z.array(step).describe('each account in the order it was asked, then cash'),
  refunds: z.array(
    z.object({
      refund_id: z.string(),
      amount: z.string(),
      sentences: z.array(z.string()).describe('to be read aloud'),
      steps: z.array(step).describe('where each part went, in order'),
    }),
  ),
});
