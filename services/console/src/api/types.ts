import type {
  accountAnswer,
  arrearsChecksAnswer,
  backdatedAnswer,
  bindingAnswer,
  claimStanding,
  codesAnswer,
  explanationAnswer,
  heldRefundsAnswer,
  liveAnswer,
  policiesAnswer,
  policyAnswer,
  premiumStanding,
  summariesAnswer,
  totalsAnswer,
  usageAnswer,
} from '@repo/contracts';
import type { z } from 'zod';

/** What the API answers, as its schemas say. */
export type Account = z.infer<typeof accountAnswer>;
export type Binding = z.infer<typeof bindingAnswer>;
export type ClaimStanding = z.infer<typeof claimStanding>;
export type PremiumStanding = z.infer<typeof premiumStanding>;
export type Standing = ClaimStanding | PremiumStanding;
export type Summaries = z.infer<typeof summariesAnswer>;
export type Summary = Summaries['settlements'][number];
export type Usage = z.infer<typeof usageAnswer>;
export type UsageRow = Usage['rows'][number];
export type Totals = z.infer<typeof totalsAnswer>;
export type Live = z.infer<typeof liveAnswer>;
export type Codes = z.infer<typeof codesAnswer>;
export type Backdated = z.infer<typeof backdatedAnswer>;
export type HeldRefunds = z.infer<typeof heldRefundsAnswer>;
export type Explanation = z.infer<typeof explanationAnswer>;
export type Step = Explanation['steps'][number];
export type ArrearsChecks = z.infer<typeof arrearsChecksAnswer>;
export type Policies = z.infer<typeof policiesAnswer>;
export type PolicyRules = z.infer<typeof policyAnswer>;

export type Relation = Binding['relation'];
export type ParameterValue = PolicyRules['parameters'][number]['value'];
