export {
  accountAnswer,
  alertsAnswer,
  arrearsChecksAnswer,
  backdatedAnswer,
  bindingAnswer,
  bindingHistoryAnswer,
  bindingsAnswer,
  claimStanding,
  codesAnswer,
  heldRefundsAnswer,
  liveAnswer,
  nhsaAnswer,
  policiesAnswer,
  policyAnswer,
  premiumStanding,
  quoteAnswer,
  refundOutcome,
  settlementAnswer,
  summariesAnswer,
  totalsAnswer,
  USAGE_COLUMNS,
  usageAnswer,
} from './answers.ts';
export { type BackdatedPayer, encodeBackdated } from './backdated-out.ts';
export { claimSubmitted } from './claims-in.ts';
export { type CodeKind, type CodeText, OUTCOME_CODES, PREMIUM_CODES } from './codes/table.ts';
export { COMMAND_BODIES, COMMAND_KEY, type CommandType } from './commands.ts';
export {
  type ArrearsCheck,
  type Bad,
  DECODE_LIMITS,
  type DecodedClaims,
  type DecodedMembers,
  type DecodeLimits,
  decodeClaim,
  decodeClaims,
  decodeMembers,
  headerText,
  type Issue,
  type RawMessage,
} from './decode.ts';
export { asyncApi, eventSchemas } from './documents.ts';
export { explanationAnswer } from './explanation-answer.ts';
export { FIELD_WORDS } from './field-words.ts';
export { parseInstant } from './fields.ts';
export {
  type DeadLetterNote,
  deadLetterHeaders,
  type EventStamp,
  outputHeaders,
  readDeadLetterHeaders,
  traceparentOf,
} from './headers.ts';
export { encodeHeldRefund } from './held-refunds-out.ts';
export { readJson } from './json.ts';
export { type NhsaFlags, type NhsaSettlement, publishedNhsa, renderNhsa, withNhsa } from './nhsa.ts';
export {
  type AskedSource,
  type ClaimOutcome,
  inOrderAsked,
  type PremiumOutcome,
  type RefundOutcome,
  readOutcome,
  readRefund,
} from './outcomes-read.ts';
export { detailInChinese, problemInChinese } from './problem-words.ts';
export { type Missing, PROBLEM_NAMES, PROBLEMS, type ProblemName, problemType } from './problems.ts';
export {
  type BrokenEvent,
  decodePublished,
  type OtherEvent,
  type PublishedEvent,
  type PublishedType,
} from './published.ts';
export { comparisonAnswer, reconciliationAnswer } from './reconciliation-answers.ts';
export {
  deadLetterAnswer,
  deadLettersAnswer,
  dropBody,
  heldAnswer,
  inputAnswer,
  quarantineAnswer,
  quarantineOrderAnswer,
  redriveAnswer,
  redriveBody,
  releaseBody,
} from './set-aside-answers.ts';
export {
  encodePremium,
  encodeRefund,
  encodeRejected,
  encodeSettlement,
  type Outgoing,
  paidFromOutcome,
  withRefundOutcome,
} from './settlements-out.ts';
export { encodeSharing } from './sharing-out.ts';
export { encodeSummary } from './summaries-out.ts';
export { type Topics, topicsOf } from './topics.ts';
export { DayTotals } from './totals-out.ts';
export { encodeAccount, encodeBinding, encodeChanges, encodeStanding, encodeUsage } from './views-out.ts';
