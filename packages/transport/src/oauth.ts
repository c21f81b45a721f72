import * as oauth from 'oauth4webapi';

/** A client of a token endpoint (OAuth 2.0, client credentials). */
export interface TokenClient {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string | undefined;
}

export type TokenFault =
  /** The endpoint answered, and gave none. */
  | 'TOKEN_REFUSED'
  /** No answer, or none that could be trusted. */
  | 'TOKEN_UNREACHABLE'
  /** It would be over before it could be renewed in order. */
  | 'TOKEN_TOO_SHORT';

/** No token could be had; `detail` is the endpoint's own code (`invalid_client`) or status, never a text or a secret. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly code: TokenFault;
  readonly detail: string;

  constructor(code: TokenFault, detail: string, cause?: unknown) {
    super(`${code}: ${detail}`, { cause });
    this.code = code;
    this.detail = detail;
  }
}

interface Token {
  readonly value: string;
  readonly from: number;
  readonly until: number;
}

/** How long a request for a token may take, how often it is made, and what is waited between. */
export const TOKEN_LIMITS = { requestMs: 3_000, attemptsMax: 2, pauseMs: 300 };
/** A token that is handed out is good for so long at least, where the endpoint gives one that is. */
const LEFT_MS_MIN = 30_000;
/** kafkajs logs in again 10 s before a session ends, and a broker takes a login a second: a shorter token would be all logins. */
const LIFE_MS_MIN = 20_000;

/**
 * Hands out access tokens, as kafkajs asks for them with each login. One is kept and used again during the first half of its life; from
 * then on a new one is asked for, and while the endpoint is away the old one serves on until it nears its end. Callers at one moment share
 * one request.
 */
export function createTokenSource(
  client: TokenClient,
  limits = TOKEN_LIMITS,
): () => Promise<{ readonly value: string }> {
  let token: Token | undefined;
  let asking: Promise<Token> | undefined;
  const renew = (): Promise<Token> => {
    asking ??= fetchToken(client, limits).finally(() => {
      asking = undefined;
    });
    return asking;
  };
  return async () => {
    const now = performance.now();
    const kept = token !== undefined && token.until - now > LEFT_MS_MIN ? token : undefined;
    if (kept !== undefined && now < (kept.from + kept.until) / 2) return kept;
    try {
      token = await renew();
    } catch (error) {
      if (kept === undefined) throw error;
      return kept;
    }
    return token;
  };
}

async function fetchToken(
  client: TokenClient,
  { requestMs, attemptsMax, pauseMs }: typeof TOKEN_LIMITS,
): Promise<Token> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await askOnce(client, requestMs);
    } catch (error) {
      const fault = faultOf(error);
      if (fault.code !== 'TOKEN_UNREACHABLE' || attempt === attemptsMax) throw fault;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

async function askOnce({ url, clientId, clientSecret, scope }: TokenClient, withinMs: number): Promise<Token> {
  const server: oauth.AuthorizationServer = { issuer: new URL(url).origin, token_endpoint: url };
  const who: oauth.Client = { client_id: clientId };
  const from = performance.now();
  const answer = await oauth.clientCredentialsGrantRequest(
    server,
    who,
    oauth.ClientSecretBasic(clientSecret),
    scope === undefined ? {} : { scope },
    {
      signal: () => AbortSignal.timeout(withinMs),
      // The settings allow it on this machine alone.
      [oauth.allowInsecureRequests]: new URL(url).protocol === 'http:',
    },
  );
  const { access_token: value, expires_in: seconds } = await oauth.processClientCredentialsResponse(
    server,
    who,
    answer,
  );
  if (seconds !== undefined && seconds * 1_000 < LIFE_MS_MIN) throw new TokenError('TOKEN_TOO_SHORT', `${seconds} s`);
  // One that does not say how long it lives is used for one login.
  return { value, from, until: from + (seconds ?? 0) * 1_000 };
}

function faultOf(error: unknown): TokenError {
  if (error instanceof TokenError) return error;
  if (error instanceof oauth.ResponseBodyError) return new TokenError('TOKEN_REFUSED', codeLike(error.error), error);
  if (error instanceof oauth.WWWAuthenticateChallengeError)
    return new TokenError('TOKEN_REFUSED', String(error.status), error);
  if (error instanceof oauth.OperationProcessingError) {
    const { cause } = error;
    const status = cause instanceof Response ? String(cause.status) : 'no token in its answer';
    return new TokenError(Number(status) >= 500 ? 'TOKEN_UNREACHABLE' : 'TOKEN_REFUSED', status, error);
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  const timedOut = error instanceof Error && error.name === 'TimeoutError';
  return new TokenError('TOKEN_UNREACHABLE', timedOut ? 'no answer' : codeLike(code), error);
}

/** What a server says is shown only as far as it is a code. */
const codeLike = (text: unknown): string =>
  typeof text === 'string' && /^[A-Za-z0-9_]{1,60}$/.test(text) ? text : 'no reason given';
