import { existsSync } from 'node:fs';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Problem } from './problem.ts';

/** Where the console's built files are, and how a browser signs in. */
export interface ConsoleOptions {
  readonly dir: string;
  /** The issuer and this application's name there; null: no token is needed, or it is pasted. */
  readonly signIn: { readonly issuer: string; readonly clientId: string; readonly scope: string } | null;
}

const PREFIX = '/console/';
const NOT_BUILT = 'the console is not built: npm run console builds it, and so does npm start once the system is ready';

/**
 * Serves the console under `/console/`, to which `/` redirects. Its files are public, since every figure they show comes from this API.
 * File names under `assets/` contain a hash of their content, so these may be cached for ever. Files are looked up at each request, so a
 * console that is built while the service runs appears at once.
 */
export function serveConsole(app: FastifyInstance, { dir, signIn }: ConsoleOptions): void {
  const policy = contentPolicy(signIn?.issuer);
  app.register(async (pages) => {
    pages.addHook('onRoute', (route) => {
      route.config = { ...route.config, open: true, unlimited: true };
    });
    await pages.register(fastifyStatic, {
      root: dir,
      serve: false,
      preCompressed: true,
      cacheControl: false,
      acceptRanges: false,
    });
    for (const door of ['/', '/console'])
      pages.get(door, { schema: { hide: true } }, async (_request, reply) => reply.redirect(PREFIX));
    pages.get(`${PREFIX}sign-in.json`, { schema: { hide: true } }, async (_request, reply) => reply.send(signIn ?? {}));
    pages.get(`${PREFIX}*`, { schema: { hide: true } }, async (request, reply) => {
      const name = (request.params as { '*': string })['*'] || 'index.html';
      if (!existsSync(`${dir}/index.html`)) throw new Problem('console-not-built', NOT_BUILT);
      dress(reply, { policy, forEver: name.startsWith('assets/') });
      return reply.sendFile(name);
    });
  });
}

function dress(reply: FastifyReply, { policy, forEver }: { policy: string; forEver: boolean }): void {
  reply.headers({
    'cache-control': forEver ? 'public, max-age=31536000, immutable' : 'no-cache',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
}

/**
 * Ant Design writes its styles into the page, so `unsafe-inline` is allowed for styles only; besides us only the issuer may be connected
 * to.
 */
const contentPolicy = (issuer: string | undefined): string =>
  [
    `default-src 'self'`,
    `style-src 'self' 'unsafe-inline'`,
    `img-src 'self' data:`,
    `connect-src 'self'${issuer === undefined ? '' : ` ${new URL(issuer).origin}`}`,
    `frame-ancestors 'none'`,
    `base-uri 'none'`,
    `form-action 'self'`,
    `object-src 'none'`,
  ].join('; ');
