/** The scopes of a token, by their words in its scope claim. Each of the first three needs a claim that says whose data. */
export const SCOPE_WORDS = {
  self: 'gongji.self',
  institution: 'gongji.institution',
  region: 'gongji.region',
  operate: 'gongji.operate',
} as const;
export type Scope = keyof typeof SCOPE_WORDS;

/** The scopes accepted by routes about a person, by routes about a person or a claim, and by those for staff only. */
export const PERSONAL = ['self', 'region', 'operate'] as const;
export const EVERYONE = ['self', 'institution', 'region', 'operate'] as const;
export const STAFF = ['region', 'operate'] as const;

/** What each scope lets its bearer see. */
export const SCOPE_MEANINGS: Readonly<Record<Scope, string>> = {
  self: 'the data of the person whom the token names',
  institution: 'settlements of the institution that the token names',
  region: 'the data of persons insured in the region that the token names',
  operate: 'everything',
};

/** Whose data a request may access: the union of what its scopes give. */
export interface Access {
  /** Who asks; null where there is no token, or it does not say. */
  readonly subject: string | null;
  readonly persons: ReadonlySet<string>;
  readonly institutions: ReadonlySet<string>;
  /** Insured areas, each as the leading digits of its codes; '' is the whole country. */
  readonly areas: readonly string[];
  readonly everything: boolean;
}

/** The access without an issuer: whoever reaches the port may do everything. */
export const OPEN: Access = {
  subject: null,
  persons: new Set(),
  institutions: new Set(),
  areas: [],
  everything: true,
};

/** The names of the claims that say what a token gives. Configurable, because an issuer may use other names. */
export interface ClaimNames {
  readonly scope: string;
  readonly person: string;
  readonly institution: string;
  readonly region: string;
}

export const CLAIM_NAMES: ClaimNames = {
  scope: 'scope',
  person: 'psn_no',
  institution: 'fixmedins_code',
  region: 'insu_admdvs',
};

const VALUES_MAX = 100;

/** Reads the claims of a token whose signature was verified. A scope without the claim that says whose data gives nothing. */
export function accessOf(claims: Readonly<Record<string, unknown>>, names: ClaimNames): Access {
  const scopes = new Set(wordsOf(claims[names.scope]));
  const given = (scope: Scope, claim: unknown): string[] => (scopes.has(SCOPE_WORDS[scope]) ? textsOf(claim) : []);
  return {
    subject: typeof claims.sub === 'string' && claims.sub !== '' ? claims.sub : null,
    persons: new Set(given('self', claims[names.person])),
    institutions: new Set(given('institution', claims[names.institution])),
    areas: given('region', claims[names.region])
      .filter((region) => /^\d{6}$/.test(region))
      .map(digitsOf),
    everything: scopes.has(SCOPE_WORDS.operate),
  };
}

/** The access restricted to the scopes that a route accepts; null where nothing is left. */
export function narrowed(access: Access, scopes: readonly Scope[]): Access | null {
  const takes = new Set(scopes);
  const left: Access = {
    subject: access.subject,
    persons: takes.has('self') ? access.persons : new Set(),
    institutions: takes.has('institution') ? access.institutions : new Set(),
    areas: takes.has('region') ? access.areas : [],
    everything: takes.has('operate') && access.everything,
  };
  const some = left.everything || left.persons.size + left.institutions.size + left.areas.length > 0;
  return some ? left : null;
}

/**
 * The leading digits shared by all areas that inherit a region's policy pack: 330106 is a county of 330100, which belongs to 330000, which
 * belongs to 000000.
 */
const digitsOf = (region: string): string => region.replace(/(00)+$/, '');

/** Scopes are words in one text (RFC 9068), or a list. */
const wordsOf = (claim: unknown): string[] => textsOf(claim).flatMap((text) => text.split(' '));

/** A claim that holds one text, or several. */
const textsOf = (claim: unknown): string[] =>
  (Array.isArray(claim) ? claim.slice(0, VALUES_MAX) : [claim]).filter(
    (value): value is string => typeof value === 'string' && value !== '',
  );
