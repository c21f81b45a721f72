/** An input and the promise it broke. */
export interface Finding {
  readonly target: string;
  readonly input: number;
  readonly what: string;
}

/** What a run of inputs came to. */
export interface Result {
  readonly target: string;
  readonly inputs: number;
  readonly seconds: number;
  readonly slowestMs: number;
  /** The input that took so long. */
  readonly slowest: number;
  readonly findings: readonly Finding[];
}

/** Which inputs of a target: every one follows from the seed and its number, so `from: N, inputs: 1` makes one again. */
export interface Range {
  readonly seed: number;
  readonly from: number;
  readonly inputs: number;
  readonly onProgress?: (done: number) => void;
}

/** A target that breaks this often is broken; more would only repeat it. */
export const FINDINGS_MAX = 20;
