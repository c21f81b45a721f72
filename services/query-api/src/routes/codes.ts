import { codesAnswer, OUTCOME_CODES } from '@repo/contracts';
import { type Api, responses } from '../openapi.ts';
import { EVERYONE } from '../scopes.ts';

const CODES = Object.entries(OUTCOME_CODES).map(([code, { kind, zh, en }]) => ({ code, kind, zh, en }));

/** `GET /v1/codes`: every code that an outcome can carry, with sentences for it. */
export function codeRoutes(app: Api): void {
  const schema = {
    operationId: 'listCodes',
    tags: ['Operation'],
    summary: 'Every code an outcome can carry, in Chinese and English',
    response: responses({ of: codesAnswer, is: 'all of them' }),
  };
  app.get('/v1/codes', { config: { scopes: EVERYONE }, schema }, async () => ({ codes: CODES }));
}
