const DAY_MS = 86_400_000;
/** Shanghai keeps UTC+8 all year. */
const SHANGHAI_MS = 8 * 3_600_000;

/** A date before every date: the start of what an import says holds "from the beginning". It stays itself under addDays. */
export const BEGINNING = '0000-01-01';

/** The calendar date (YYYY-MM-DD) in Shanghai of an instant in epoch milliseconds. */
export function shanghaiDate(instant: number): string {
  return new Date(instant + SHANGHAI_MS).toISOString().slice(0, 10);
}

/** An instant as the system writes it: Shanghai's time with its offset, milliseconds only where there are any. */
export function shanghaiInstant(instant: number): string {
  return new Date(instant + SHANGHAI_MS).toISOString().replace(/(\.000)?Z$/, '+08:00');
}

/** Epoch milliseconds of an ISO 8601 instant with offset or Z; null for anything else. */
export function readInstant(text: string): number | null {
  const match = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null || !isDate(match[1] ?? '')) return null;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? null : instant;
}

/** The instant at which a date begins in Shanghai. */
export function startOfDate(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) - SHANGHAI_MS;
}

export function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const instant = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(text);
}

export function isMonth(text: string): boolean {
  return /^\d{4}-\d\d$/.test(text) && isDate(`${text}-01`);
}

export function addDays(date: string, days: number): string {
  if (date === BEGINNING) return BEGINNING;
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

export function nextMonth(month: string): string {
  return addDays(lastDayOf(month), 1).slice(0, 7);
}

export function lastDayOf(month: string): string {
  const [year, number] = month.split('-').map(Number);
  return new Date(Date.UTC(year ?? 0, number ?? 0, 0)).toISOString().slice(0, 10);
}

export function yearOf(date: string): number {
  return Number(date.slice(0, 4));
}

export function earliest(dates: readonly string[]): string | null {
  return dates.reduce<string | null>((least, date) => (least === null || date < least ? date : least), null);
}
