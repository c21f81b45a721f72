/** What one process takes on at a time, and for how long. Tests meet these limits sooner. */
export interface ServerLimits {
  /** Connections beyond these are closed as they come. */
  readonly connectionsMax: number;
  /** From a request's first byte, or the opening of its connection, to its last. */
  readonly requestMs: number;
  /** How often Node looks for requests that take longer. */
  readonly lookEveryMs: number;
  /** Silence on a connection: an answer that is worked on, or a reader who takes nothing. */
  readonly quietMs: number;
  /** The same where an answer may take minutes. */
  readonly slowMs: number;
  readonly keepAliveMs: number;
  /** Whose rates are remembered at a time; past it the one seen longest ago is forgotten. */
  readonly ratesMax: number;
  /** Commands and repairs that are sent or waited for. */
  readonly commandsMax: number;
  /** Reports (对账) that are made, one at a time, or wait for their turn. */
  readonly reportsMax: number;
  readonly exportsMax: number;
  /** Messages that are read from their topic, each within 5 s. */
  readonly inputsMax: number;
}

/** A command is sent within 10 s and waited for at most 20 s, so that it is quiet for less than a minute; each looks at the database 40 times a second. */
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
