/** One check of the audit: how many items it compared, and how many of them were wrong. */
export interface Check {
  readonly name: string;
  /** What must hold for each item, as the end of "each ...". */
  readonly holds: string;
  readonly subject: Subject;
  readonly checked: number;
  readonly wrong: number;
  /** Where to look: rows, claims, bindings, records; never a person's number. */
  readonly examples: readonly string[];
}

/** The subjects of the checks, and what is said of one whose checks all hold. */
const SUBJECTS = {
  accounts: 'each equals its entries, none was ever below 0.00',
  entries: 'each has the event and the day it belongs to',
  openings: 'each is of an account',
  credits: 'each has its event, and is in the entries once',
  outcomes: 'amounts add up, and are in the entries to the fen',
  bindings: 'the authorised amount was changed, and is what that, payments and returns allow',
  bindingDays: 'use is what was paid less what was returned',
  heldRefunds: 'what is held for payout is what the entries say',
  shards: 'sequences without gaps, every result with its event',
  days: 'postings sum to zero, closed days stayed as they were closed',
  records: 'in Kafka once, in order, as in PostgreSQL to the byte',
} as const;
export type Subject = keyof typeof SUBJECTS;

const NAMES: Readonly<Record<Subject, readonly [one: string, many: string]>> = {
  accounts: ['account', 'accounts'],
  entries: ['entry', 'entries'],
  openings: ['opening', 'openings'],
  credits: ['credit', 'credits'],
  outcomes: ['outcome', 'outcomes'],
  bindings: ['binding', 'bindings'],
  bindingDays: ['day of a binding', 'days of bindings'],
  heldRefunds: ['held refund', 'held refunds'],
  shards: ['shard', 'shards'],
  days: ['day', 'days'],
  records: ['record', 'records'],
};

const EXAMPLES_MAX = 10;

interface Counts {
  readonly holds: string;
  readonly subject: Subject;
  checked: number;
  wrong: number;
  readonly examples: string[];
}

/** Counts the results of checks, in the order in which they were declared. */
export class Tally {
  readonly notes: string[] = [];
  readonly #checks = new Map<string, Counts>();

  /** Declares checks, so that they are reported even where there is nothing to compare. */
  declare(subject: Subject, checks: Readonly<Record<string, string>>): void {
    for (const [name, holds] of Object.entries(checks)) {
      this.#checks.set(name, { holds, subject, checked: 0, wrong: 0, examples: [] });
    }
  }

  checked(name: string, count = 1): void {
    this.#of(name).checked += count;
  }

  wrong(name: string, examples: readonly string[], count = examples.length): void {
    const check = this.#of(name);
    check.wrong += count;
    check.examples.push(...examples.slice(0, EXAMPLES_MAX - check.examples.length));
  }

  /** Counts one comparison; `example` says what was compared. */
  expect(name: string, isRight: boolean, example: string): void {
    this.checked(name);
    if (!isRight) this.wrong(name, [example]);
  }

  /** Turns differences that have an innocent explanation into a note. */
  excuse(name: string, note: (count: number) => string): void {
    const check = this.#of(name);
    if (check.wrong > 0) this.notes.push(note(check.wrong));
    check.wrong = 0;
    check.examples.length = 0;
  }

  checks(): Check[] {
    return [...this.#checks].map(([name, counts]) => ({ name, ...counts }));
  }

  #of(name: string): Counts {
    const check = this.#checks.get(name);
    if (check === undefined) throw new Error(`the audit has no check ${name}`);
    return check;
  }
}

const grouped = (count: number): string => count.toLocaleString('en-US');

const counted = (count: number, subject: Subject): string => `${grouped(count)} ${NAMES[subject][count === 1 ? 0 : 1]}`;

/** One sentence for each subject whose checks hold, for each check that does not, and for each note. */
export function sentences(checks: readonly Check[], notes: readonly string[]): string[] {
  const bySubject = Map.groupBy(checks, ({ subject }) => subject);
  const told = [...bySubject].flatMap(([subject, all]) => {
    const broken = all.filter(({ wrong }) => wrong > 0);
    if (broken.length === 0) {
      const count = Math.max(...all.map(({ checked }) => checked));
      return count === 0 ? [] : [`${counted(count, subject)}: ${SUBJECTS[subject]}`];
    }
    return broken.map(({ name, wrong, checked, holds, examples }) => {
      const where = examples.length === 0 ? '' : ` (${examples.slice(0, 3).join(', ')}${wrong > 3 ? ', …' : ''})`;
      return `WRONG ${name}: ${grouped(wrong)} of ${counted(checked, subject)} not "${holds}"${where}`;
    });
  });
  return [...told, ...notes.map((note) => `note: ${note}`)];
}
