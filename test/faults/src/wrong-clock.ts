/**
 * Loaded into a service before anything else (`--import`): its clock is off by `WRONG_CLOCK_MS`, all the time, or, with
 * `WRONG_CLOCK_STEP_MS`, for every other stretch of so long.
 */
const Right = Date;
const offMs = Number(process.env.WRONG_CLOCK_MS);
const stepMs = Number(process.env.WRONG_CLOCK_STEP_MS ?? Number.POSITIVE_INFINITY);
const startedMs = Right.now();

function now(): number {
  const right = Right.now();
  return Math.floor((right - startedMs) / stepMs) % 2 === 0 ? right + offMs : right;
}

globalThis.Date = class extends Right {
  constructor(...given: [] | [number | string | Date]) {
    super(...((given.length === 0 ? [now()] : given) as [number]));
  }

  static override now(): number {
    return now();
  }
} as DateConstructor;
