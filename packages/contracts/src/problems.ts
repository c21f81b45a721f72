/**
 * The problems (RFC 9457) that HTTP answers, with their status. The name is the end of the problem's `type` and must not change: readers in
 * other languages than that of `detail` go by it. What a rule or a worker refused also has a `code`.
 */
export const PROBLEMS = {
  'malformed-request': 400,
  'bad-parameter': 400,
  'no-token': 401,
  'bad-token': 401,
  'missing-scope': 403,
  'not-yours': 403,
  'shows-relatives': 403,
  'no-such-resource': 404,
  'no-such-account': 404,
  'no-such-binding': 404,
  'no-such-settlement': 404,
  'no-such-refund': 404,
  'no-such-dead-letter': 404,
  'no-such-held-message': 404,
  'no-such-order': 404,
  'input-place-unknown': 404,
  'console-not-built': 404,
  'method-not-allowed': 405,
  'request-too-slow': 408,
  'key-taken': 409,
  'state-not-allowed': 409,
  'rules-not-loaded': 409,
  'input-gone': 410,
  'condition-not-met': 412,
  'body-too-large': 413,
  'address-too-long': 414,
  'content-type': 415,
  'bad-expectation': 417,
  'bad-body': 422,
  'bad-claim': 422,
  'unusable-file': 422,
  'unknown-person': 422,
  'binding-refused': 422,
  'refund-refused': 422,
  'command-refused': 422,
  'too-many-requests': 429,
  'headers-too-large': 431,
  internal: 500,
  'unknown-method': 501,
  'database-away': 503,
  'tokens-unchecked': 503,
  'command-not-sent': 503,
  'input-not-read': 503,
  'too-busy': 503,
} as const satisfies Readonly<Record<string, number>>;

export type ProblemName = keyof typeof PROBLEMS;
export const PROBLEM_NAMES = Object.keys(PROBLEMS) as readonly ProblemName[];
/** What is unknown, or hidden from the caller. */
export type Missing = { [Name in ProblemName]: Name extends `no-such-${infer What}` ? What : never }[ProblemName];

const PREFIX = 'urn:problem-type:gongji:';

/** The `type` of a problem: `urn:problem-type:gongji:no-such-binding`. */
export const problemType = (name: ProblemName): string => `${PREFIX}${name}`;
