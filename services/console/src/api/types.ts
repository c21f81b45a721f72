import type {
  accountAnswer,
  alertsAnswer,
  arrearsChecksAnswer,
  backdatedAnswer,
  bindingAnswer,
  bindingHistoryAnswer,
  claimStanding,
  codesAnswer,
  comparisonAnswer,
  deadLetterAnswer,
  deadLettersAnswer,
  explanationAnswer,
  heldAnswer,
  heldRefundsAnswer,
  inputAnswer,
  liveAnswer,
  policiesAnswer,
  policyAnswer,
  premiumStanding,
  quarantineAnswer,
  quarantineOrderAnswer,
  reconciliationAnswer,
  redriveAnswer,
  summariesAnswer,
  totalsAnswer,
  usageAnswer,
} from '@repo/contracts';
import type { z } from 'zod';

/** What the API answers, as its schemas say. */
export type Account = z.infer<typeof accountAnswer>;
export type Binding = z.infer<typeof bindingAnswer>;
export type BindingHistory = z.infer<typeof bindingHistoryAnswer>;
export type ClaimStanding = z.infer<typeof claimStanding>;
export type PremiumStanding = z.infer<typeof premiumStanding>;
export type Standing = ClaimStanding | PremiumStanding;
export type Summaries = z.infer<typeof summariesAnswer>;
export type Summary = Summaries['settlements'][number];
export type Usage = z.infer<typeof usageAnswer>;
export type UsageRow = Usage['rows'][number];
export type Totals = z.infer<typeof totalsAnswer>;
export type Live = z.infer<typeof liveAnswer>;
export type Alerts = z.infer<typeof alertsAnswer>;
export type Reconciliation = z.infer<typeof reconciliationAnswer>;
export type Comparison = z.infer<typeof comparisonAnswer>;
export type Codes = z.infer<typeof codesAnswer>;
export type Backdated = z.infer<typeof backdatedAnswer>;
export type HeldRefunds = z.infer<typeof heldRefundsAnswer>;
export type Input = z.infer<typeof inputAnswer>;
export type Explanation = z.infer<typeof explanationAnswer>;
export type Step = Explanation['steps'][number];
export type DeadLetters = z.infer<typeof deadLettersAnswer>;
export type ListedLetter = DeadLetters['dead_letters'][number];
export type DeadLetter = z.infer<typeof deadLetterAnswer>;
export type Redrive = z.infer<typeof redriveAnswer>;
export type Quarantine = z.infer<typeof quarantineAnswer>;
export type HeldMessages = z.infer<typeof heldAnswer>;
export type QuarantineOrder = z.infer<typeof quarantineOrderAnswer>;
export type ArrearsChecks = z.infer<typeof arrearsChecksAnswer>;
export type Policies = z.infer<typeof policiesAnswer>;
export type PolicyRules = z.infer<typeof policyAnswer>;

export type Relation = Binding['relation'];
export type ParameterValue = PolicyRules['parameters'][number]['value'];
