/**
 * Where alerts begin that can be judged without a history of metrics: for whoever judges them beside Prometheus, as the board of the console
 * does. deploy/monitoring/alerts.yaml is what Prometheus reads; a test holds the two together. `over`: an alert begins above it.
 */
export const ALERT_LIMITS = {
  GongjiQuarantine: { severity: 'page', over: 0 },
  GongjiConflict: { severity: 'page', over: 0, withinMinutes: 15 },
  GongjiDeadLetters: { severity: 'ticket', over: 0, withinMinutes: 15 },
  GongjiInputLag: { severity: 'page', over: 10_000 },
  GongjiOutboxWaits: { severity: 'page', over: 5_000 },
  GongjiDown: { severity: 'page', over: 0 },
} as const;
export type AlertName = keyof typeof ALERT_LIMITS;

/** The codes of a message that came with the id of another. */
export const CONFLICT_CODES: readonly string[] = ['EVENT_CONFLICT', 'CLAIM_DUPLICATE_CONFLICT'];
