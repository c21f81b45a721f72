import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HOST } from '@repo/embedded';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export const AUDIENCE = 'kafka';
/** What every client but a wrong one knows. */
export const CLIENT_SECRET = 'not:a=real secret';
/** How long its tokens live; those of the client `hasty` are too short to be used. */
const LIFE_S = 120;
const HASTY_LIFE_S = 5;

export interface Issuer extends AsyncDisposable {
  /** Has `/token`, `/down` (a token endpoint that is out of order) and `/keys`. */
  readonly url: string;
}

/** Issues access tokens for client credentials and publishes its keys; the subject is the client's id. */
export async function startIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }] };
  const tokenFor = async (client: string, seconds: number): Promise<string> =>
    new SignJWT({ scope: 'kafka' })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(url)
      .setAudience(AUDIENCE)
      .setSubject(client)
      .setIssuedAt()
      .setExpirationTime(`${seconds} s`)
      .sign(privateKey);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const send = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/keys') return void send(200, keys);
    if (request.url !== '/token') return void send(503, {});
    const [client = '', secret] = credentialsOf(request);
    if (secret !== CLIENT_SECRET) return void send(400, { error: 'invalid_client' });
    const seconds = client === 'hasty' ? HASTY_LIFE_S : LIFE_S;
    send(200, { access_token: await tokenFor(client, seconds), token_type: 'Bearer', expires_in: seconds });
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const url = `http://${HOST}:${(server.address() as AddressInfo).port}`;
  return {
    url,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Client id and secret of HTTP Basic, each form-encoded (RFC 6749, 2.3.1). */
const credentialsOf = ({ headers }: IncomingMessage): string[] =>
  Buffer.from(headers.authorization?.replace(/^Basic /, '') ?? '', 'base64')
    .toString()
    .split(':')
    .map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
