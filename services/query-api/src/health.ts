import { z } from 'zod';

/** The answer to a health check: everything that was checked, and what is wrong with it. */
export const healthAnswer = z.object({
  status: z.enum(['ok', 'failing']).describe('whether all is well'),
  checks: z
    .record(
      z.string(),
      z.object({
        ok: z.boolean().describe('whether it is well'),
        problem: z.string().optional().describe('what is wrong'),
      }),
    )
    .describe('everything that was looked at, by its name'),
});
