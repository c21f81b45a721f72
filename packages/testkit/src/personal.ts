import { appendFileSync, readFileSync } from 'node:fs';

/** The fields of an event that say who somebody is. */
const FIELDS = ['psn_no', 'payer', 'beneficiary', 'psn_name', 'certno'] as const;
/** A shorter number may be part of any word, so it counts only where it stands as a word of its own. */
const DISTINCT_LENGTH = 6;
const HAN = /\p{Script=Han}/u;
/** What a person number or an id may be made of. */
const WORD = /[\p{L}\p{N}_-]+/gu;

/** Names the file in which the tests of one run note everybody they make up, a line each (see run.ts). */
export const PEOPLE_FILE = 'TEST_PEOPLE_FILE';

/** Whether a text is what it is wherever it stands. */
const isDistinct = (value: string): boolean => value.length >= DISTINCT_LENGTH || HAN.test(value);
/** Whether it is also nothing else in all that the tests of every package print: a name of several characters, or a long number. */
const isUnique = (value: string): boolean =>
  HAN.test(value) ? value.length > 1 : value.length >= DISTINCT_LENGTH && /\d/.test(value);

/** Remembers the names and numbers of the people that a test makes up, to find them where they must not be. */
export class PersonalData {
  readonly #values = new Set<string>();
  /** Of these the run's file does not know yet. */
  #unwritten: string[] = [];

  /** Whom the tests of a run have told of in its file; without a number such as `P1`, which any output may hold. */
  static ofRun(file: string): PersonalData {
    const people = new PersonalData();
    for (const value of readFileSync(file, 'utf8').split('\n')) if (isUnique(value)) people.#values.add(value);
    return people;
  }

  get size(): number {
    return this.#values.size;
  }

  /** Remembers whoever an event names; what is no event in JSON names nobody. */
  note(value: string | Buffer | null): void {
    const fields = fieldsOf(String(value));
    for (const name of FIELDS) {
      const text = fields[name];
      if (typeof text === 'string' && text !== '') this.#add(text);
    }
  }

  #add(text: string): void {
    if (this.#values.has(text)) return;
    this.#values.add(text);
    this.#unwritten.push(text);
  }

  /** Tells the run, whose output is searched at its end, whom this test has made up. */
  tellRun(): void {
    const file = process.env[PEOPLE_FILE];
    if (file !== undefined && this.#unwritten.length > 0) appendFileSync(file, `${this.#unwritten.join('\n')}\n`);
    this.#unwritten = [];
  }

  /** What of it a text holds. */
  foundIn(text: string): string[] {
    this.tellRun();
    const words = new Set(text.match(WORD));
    return [...this.#values].filter((value) => (isDistinct(value) ? text.includes(value) : words.has(value)));
  }
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
