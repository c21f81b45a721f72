import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** A small OpenID Connect issuer on this machine: its description, and the keys it has at the moment. */
export class Issuer {
  readonly keys: object[] = [];
  calledBy: string | undefined;
  /** How often its description was asked for. */
  asked = 0;
  readonly #server: Server = createServer((request, response) => {
    const described = { issuer: this.calledBy ?? this.url, jwks_uri: `${this.url}/keys` };
    if (request.url !== '/keys') this.asked += 1;
    const body = request.url === '/keys' ? { keys: this.keys } : described;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  port = 0;

  /** On the port it had before, once it had one. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async addKey(alg = 'ES256') {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    const kid = `key-${this.keys.length}`;
    this.keys.push({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' });
    return { alg, kid, privateKey };
  }

  sign(key: Awaited<ReturnType<Issuer['addKey']>>, claims: Record<string, unknown> = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: this.url, aud: 'gongji', exp: now + 300, ...claims })
      .setProtectedHeader({ alg: key.alg, kid: key.kid })
      .sign(key.privateKey);
  }
}
