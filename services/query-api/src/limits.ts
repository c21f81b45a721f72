/** How much one process handles at a time, and for how long. Tests set lower limits. */
export interface ServerLimits {
  /** Connections above this number are closed at once. */
  readonly connectionsMax: number;
  /** From a request's first byte, or the opening of its connection, to its last byte. */
  readonly requestMs: number;
  /** How often Node looks for requests that take longer, ms. */
  readonly lookEveryMs: number;
  /** Longest silence on a connection: while an answer is prepared, or while the reader reads nothing. */
  readonly quietMs: number;
  /** The same for routes whose answer may take minutes. */
  readonly slowMs: number;
  readonly keepAliveMs: number;
  /** For how many subjects rates are remembered; beyond that the one seen longest ago is forgotten. */
  readonly ratesMax: number;
  /** Commands and repairs that are being sent or waited for. */
  readonly commandsMax: number;
  /** Reports (对账) in progress, which is one at a time, or waiting for their turn. */
  readonly reportsMax: number;
  readonly exportsMax: number;
  /** Messages being read from their topic, each within 5 s. */
  readonly inputsMax: number;
}

/**
 * A command is sent within 10 s and waited for at most 20 s, so its connection is silent for less than a minute; while waiting it queries
 * the database 40 times a second.
 */
export const SERVER_LIMITS: ServerLimits = {
  connectionsMax: 1_000,
  requestMs: 10_000,
  lookEveryMs: 1_000,
  quietMs: 60_000,
  slowMs: 600_000,
  keepAliveMs: 30_000,
  ratesMax: 10_000,
  commandsMax: 50,
  reportsMax: 5,
  exportsMax: 20,
  inputsMax: 10,
};
