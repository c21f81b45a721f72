/** Loaded into a service before anything else (`--import`): its clock is off by `WRONG_CLOCK_MS`. */
const Right = Date;
const offMs = Number(process.env.WRONG_CLOCK_MS);

globalThis.Date = class extends Right {
  constructor(...given: [] | [number | string | Date]) {
    super(...((given.length === 0 ? [Right.now() + offMs] : given) as [number]));
  }

  static override now(): number {
    return Right.now() + offMs;
  }
} as DateConstructor;
