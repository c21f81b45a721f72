import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { Problem } from './problem.ts';
import { type Access, accessOf, CLAIM_NAMES, type ClaimNames } from './scopes.ts';

/** What the bearer of a token may access. Throws the problem with which the request is answered. */
export type Guard = (authorization: string | undefined) => Promise<Access>;

const ALGORITHMS = ['ES256', 'PS256', 'RS256', 'EdDSA'];
const CLOCK_TOLERANCE_S = 30;
/** How long to wait for the issuer's description, or for its keys, ms. */
export const ISSUER_LIMIT_MS = 5_000;

/** Errors of the token itself; after any other the token could not be checked. */
const TOKEN_FAULTS: ReadonlySet<string> = new Set([
  errors.JWTExpired.code,
  errors.JWTClaimValidationFailed.code,
  errors.JWTInvalid.code,
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
]);

/**
 * Takes only requests with a valid access token of the issuer: signature by its published keys, issuer, audience, expiry, and
 * an algorithm of a fixed list. The issuer's description is asked for with the first request, and again until it answers, so
 * that this service starts while the issuer is away. Requests at one moment share one question: anybody may send some.
 */
export function createGuard({
  issuer,
  audience,
  claims = CLAIM_NAMES,
  limitMs = ISSUER_LIMIT_MS,
}: {
  readonly issuer: string;
  readonly audience: string;
  readonly claims?: ClaimNames;
  readonly limitMs?: number;
}): Guard {
  let keys: Promise<JWTVerifyGetKey> | undefined;
  const findKeys = (): Promise<JWTVerifyGetKey> => {
    keys ??= discoverKeys(issuer, limitMs).then(
      (url) => createRemoteJWKSet(url, { timeoutDuration: limitMs }),
      (error) => {
        keys = undefined;
        throw error;
      },
    );
    return keys;
  };
  return async (authorization) => {
    const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '') ?? [];
    if (token === undefined) throw new Problem('no-token', 'expected an access token: authorization: Bearer …');
    try {
      const { payload } = await jwtVerify(token, await findKeys(), {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['exp'],
      });
      return accessOf(payload, claims);
    } catch (error) {
      if (error instanceof errors.JOSEError && TOKEN_FAULTS.has(error.code)) {
        throw new Problem('bad-token', 'expected a valid access token of the configured issuer and audience');
      }
      throw new Problem('tokens-unchecked', 'access tokens cannot be checked at present');
    }
  };
}

/** Where the issuer publishes its keys (OpenID Connect Discovery 1.0, section 4). */
async function discoverKeys(issuer: string, limitMs: number): Promise<URL> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(limitMs) });
  if (!answer.ok) throw new Error('the issuer does not describe itself');
  const described = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown };
  if (described.issuer !== issuer) throw new Error('the issuer describes itself by another name');
  const keys = new URL(String(described.jwks_uri));
  if (keys.protocol !== new URL(issuer).protocol) throw new Error('the keys are published less safely than described');
  return keys;
}
