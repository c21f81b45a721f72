import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export const CLIENT = 'console';

/** What a browser came with to ask for a code. */
interface Asked {
  readonly challenge: string;
  readonly nonce: string | null;
}

/**
 * An OpenID Connect issuer that lets everyone in, as an operator: authorization code with PKCE, whose verifier it checks. It signs with a key of its
 * own, which query-api fetches as it would any issuer's.
 */
export class Issuer implements AsyncDisposable {
  readonly url: string;
  readonly #sign: (claims: Record<string, unknown>, audience: string) => Promise<string>;
  readonly #close: () => Promise<void>;
  /** What it answers instead of a code, as OAuth 2.0 names it; null: a code. */
  readonly answers: { error: string | null };

  private constructor(
    url: string,
    { answers, sign, close }: { answers: Issuer['answers']; sign: Issuer['token']; close: () => Promise<void> },
  ) {
    this.url = url;
    this.answers = answers;
    this.#sign = sign;
    this.#close = close;
  }

  static async open(): Promise<Issuer> {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const key = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
    const codes = new Map<string, Asked>();
    const answers: Issuer['answers'] = { error: null };
    const server = createServer((request, response) => void answer(request, response));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sign = (claims: Record<string, unknown>, audience: string) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer(url)
        .setAudience(audience)
        .setSubject('clerk')
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey);

    async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const { pathname, searchParams } = new URL(request.url ?? '/', url);
      response.setHeader('access-control-allow-origin', '*');
      const json = (body: object, status = 200) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (pathname === '/.well-known/openid-configuration') {
        const places = {
          authorization_endpoint: `${url}/authorize`,
          token_endpoint: `${url}/token`,
          jwks_uri: `${url}/keys`,
        };
        json({ issuer: url, ...places });
      } else if (pathname === '/keys') json({ keys: [key] });
      else if (pathname === '/authorize') {
        const code = randomUUID();
        codes.set(code, { challenge: searchParams.get('code_challenge') ?? '', nonce: searchParams.get('nonce') });
        const back = new URL(searchParams.get('redirect_uri') ?? '');
        if (answers.error === null) back.searchParams.set('code', code);
        else back.searchParams.set('error', answers.error);
        back.searchParams.set('state', searchParams.get('state') ?? '');
        response.writeHead(302, { location: back.href }).end();
      } else if (pathname === '/token') {
        const given = new URLSearchParams(await text(request));
        const asked = codes.get(given.get('code') ?? '');
        codes.delete(given.get('code') ?? '');
        const proof = createHash('sha256')
          .update(given.get('code_verifier') ?? '')
          .digest('base64url');
        if (asked === undefined || asked.challenge !== proof) return void json({ error: 'invalid_grant' }, 400);
        const nonce = asked.nonce === null ? {} : { nonce: asked.nonce };
        const tokens = {
          access_token: await sign({ scope: 'gongji.operate' }, 'gongji'),
          id_token: await sign(nonce, CLIENT),
        };
        json({ ...tokens, token_type: 'Bearer', expires_in: 300 });
      } else json({}, 404);
    }

    return new Issuer(url, { answers, sign, close: () => new Promise((done) => server.close(() => done())) });
  }

  /** A token of this issuer for an audience. */
  token(claims: Record<string, unknown>, audience: string): Promise<string> {
    return this.#sign(claims, audience);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}
