import { claimSubmitted, DECODE_LIMITS, decodeClaim, encodeSettlement, quoteAnswer } from '@repo/contracts';
import { dateOf, decideClaim } from '@repo/domain';
import { booksOf, findFamily, findOutcome, type RowSource, readSnapshot } from '@repo/ledger';
import { contentHash } from '@repo/shard-worker';
import { type Api, responses } from '../openapi.ts';
import { Problem } from '../problem.ts';
import { type Access, EVERYONE, narrowed } from '../scopes.ts';
import type { ApiDeps } from '../server.ts';
import { type Concern, isVisible } from '../visible.ts';

/**
 * `POST /v1/quotes`: answers the outcome that a `claim.submitted` would get now. Changes, reserves and remembers nothing: it reads one
 * state of the database in a read-only transaction.
 */
export function quoteRoutes(app: Api, { ledger, policies, now, futureDaysMax }: ApiDeps): void {
  const schema = {
    operationId: 'quote',
    tags: ['Settlements'],
    summary: 'What a claim would come to if it were settled now',
    description:
      'Changes, reserves and remembers nothing. A claim that was settled is quoted as it was settled. With a token of `gongji.self` alone only where no relative is bound whose account the token does not name.',
    body: claimSubmitted,
    response: responses(
      { of: quoteAnswer, is: 'the outcome that would be published, without its settlement id' },
      {
        413: 'the claim is larger than 1 MiB',
        415: 'the content is not application/json',
        422: 'the claim cannot be used: `code` and `issues` say why',
      },
    ),
  };
  app.post('/v1/quotes', { schema, config: { scopes: EVERYONE } }, async ({ body, access }) => {
    // The bytes as they came (see `validate`).
    const bytes = (body as unknown as Buffer | undefined) ?? Buffer.alloc(0);
    const decoded = decodeClaim(bytes, now(), { ...DECODE_LIMITS, futureDaysMax });
    if (decoded.kind === 'BAD') {
      throw new Problem('bad-claim', 'expected a claim.submitted', { code: decoded.code, issues: decoded.issues });
    }
    const { claim, content, identity } = decoded;
    return readSnapshot(ledger, async (snapshot) => {
      const concern = { fixmedins_code: claim.providerCode, psn_no: claim.personNo };
      if (!(await isVisible(access, snapshot, concern))) {
        throw new Problem('not-yours', 'expected a claim of a person or an institution that the token is for');
      }
      const known = await findOutcome(snapshot, identity, claim.claimId);
      if (known !== undefined) {
        if (!known.contentHash.equals(contentHash(content))) {
          const issues = [{ path: 'claim_id', problem: 'expected an id not yet used with other content' }];
          throw new Problem('bad-claim', 'expected a new claim', { code: 'CLAIM_DUPLICATE_CONFLICT', issues });
        }
        return asQuote(JSON.parse(known.payload) as object);
      }
      const family = await findFamily(snapshot, claim.personNo, dateOf(claim.settledAt));
      const showsOthers = family.bindings.some(({ payer }) => !access.persons.has(payer));
      if (showsOthers && !(await isOfficial(access, snapshot, concern)))
        throw new Problem(
          'shows-relatives',
          'a quote would show what relatives hold: ask the institution or the bureau for it',
        );
      const books = booksOf(policies.policyAt, family);
      return asQuote(encodeSettlement(claim, decideClaim(claim, books, policies.policyAt), '').payload);
    });
  });
}

/**
 * Whether the bearer prices or reviews claims for a living. A patient could otherwise quote a very large claim to learn what every relative
 * has left, which a beneficiary must never see.
 */
async function isOfficial(access: Access, source: RowSource, concern: Concern): Promise<boolean> {
  const official = narrowed(access, ['institution', 'region', 'operate']);
  return official !== null && isVisible(official, source, concern);
}

/** A quote is no settlement, so it has neither a settlement id nor the national form, which contains one. */
const asQuote = (payload: object): object =>
  Object.fromEntries(Object.entries(payload).filter(([name]) => name !== 'setl_id' && name !== 'nhsa'));
