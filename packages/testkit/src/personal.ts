/** The fields of an event that say who somebody is. */
const FIELDS = ['psn_no', 'payer', 'beneficiary', 'psn_name', 'certno'] as const;
/** A shorter number may be part of any word, so it counts only where it stands as a word of its own. */
const DISTINCT_LENGTH = 6;
const HAN = /\p{Script=Han}/u;
/** What a person number or an id may be made of. */
const WORD = /[\p{L}\p{N}_-]+/gu;

/** Remembers the names and numbers of the people that a test makes up, to find them where they must not be. */
export class PersonalData {
  readonly #values = new Set<string>();

  /** Remembers whoever an event names; what is no event in JSON names nobody. */
  note(value: string | Buffer | null): void {
    const fields = fieldsOf(String(value));
    for (const name of FIELDS) {
      const text = fields[name];
      if (typeof text === 'string' && text !== '') this.#values.add(text);
    }
  }

  /** What of it a text holds. */
  foundIn(text: string): string[] {
    const words = new Set(text.match(WORD));
    return [...this.#values].filter((value) =>
      value.length >= DISTINCT_LENGTH || HAN.test(value) ? text.includes(value) : words.has(value),
    );
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
