import { RELATIONS } from '@repo/domain';
import { z } from 'zod';

const step = z.object({
  source: z.enum(['OWN', 'RELATIVE', 'CASH']),
  account: z.string().optional(),
  binding_id: z.string().optional(),
  relation: z.enum(RELATIONS).optional(),
  amount: z.string().optional(),
  code: z.string().optional().describe('why it paid nothing'),
  sentence: z.string().describe('to be read aloud'),
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

/** A settlement told in words, as HTTP answers it. */
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
