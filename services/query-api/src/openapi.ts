import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import {
  accountAnswer,
  alertsAnswer,
  arrearsChecksAnswer,
  backdatedAnswer,
  bindingAnswer,
  bindingHistoryAnswer,
  bindingsAnswer,
  claimStanding,
  codesAnswer,
  comparisonAnswer,
  deadLetterAnswer,
  deadLettersAnswer,
  explanationAnswer,
  FIELD_WORDS,
  heldAnswer,
  heldRefundsAnswer,
  inputAnswer,
  liveAnswer,
  nhsaAnswer,
  policiesAnswer,
  policyAnswer,
  premiumStanding,
  quarantineAnswer,
  quarantineOrderAnswer,
  quoteAnswer,
  reconciliationAnswer,
  redriveAnswer,
  refundOutcome,
  settlementAnswer,
  summariesAnswer,
  totalsAnswer,
  usageAnswer,
} from '@repo/contracts';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifySchema,
  FastifySchemaCompiler,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
  RouteOptions,
} from 'fastify';
import { z } from 'zod';
import { healthAnswer } from './health.ts';
import { problemAnswer } from './problem.ts';
import { SCOPE_MEANINGS, SCOPE_WORDS, type Scope } from './scopes.ts';

/** Makes handlers receive parameters with the types that the schemas give them. */
interface ZodProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
}

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodProvider
>;

/**
 * Leaves a body as bytes for our own decoder, which reads amounts from their source text. The schema that the document shows for the body
 * is that decoder's.
 */
export const validate: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) =>
  httpPart === 'body'
    ? (value) => ({ value })
    : (value) => {
        const { success, data, error } = schema.safeParse(value);
        return success ? { value: data } : { error };
      };

/** Schemas with a name in the document, so that generated clients get a type for each. */
const NAMED = {
  Account: accountAnswer,
  Binding: bindingAnswer,
  Bindings: bindingsAnswer,
  BindingHistory: bindingHistoryAnswer,
  ClaimStanding: claimStanding,
  PremiumStanding: premiumStanding,
  NhsaForm: nhsaAnswer,
  Settlement: settlementAnswer,
  Quote: quoteAnswer,
  Refund: refundOutcome,
  Usage: usageAnswer,
  Backdated: backdatedAnswer,
  HeldRefunds: heldRefundsAnswer,
  Summaries: summariesAnswer,
  Totals: totalsAnswer,
  Live: liveAnswer,
  Alerts: alertsAnswer,
  Reconciliation: reconciliationAnswer,
  Comparison: comparisonAnswer,
  ArrearsChecks: arrearsChecksAnswer,
  Input: inputAnswer,
  DeadLetters: deadLettersAnswer,
  DeadLetter: deadLetterAnswer,
  Redrive: redriveAnswer,
  Quarantine: quarantineAnswer,
  HeldMessages: heldAnswer,
  QuarantineOrder: quarantineOrderAnswer,
  Policies: policiesAnswer,
  Policy: policyAnswer,
  Codes: codesAnswer,
  Explanation: explanationAnswer,
  Health: healthAnswer,
  Problem: problemAnswer,
};
const names = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries(NAMED)) names.add(schema, { id });

const PLACE = '#/components/schemas/';
const AS_WRITTEN = { io: 'input', unrepresentable: 'any' } as const;

type JsonSchema = Record<string, unknown>;

/** A schema as JSON Schema 2020-12, which OpenAPI 3.1 accepts unchanged; one of `NAMED` as a reference to its name. */
function toJson(schema: z.ZodType): JsonSchema {
  const name = names.get(schema)?.id;
  return name === undefined ? explained(z.toJSONSchema(schema, AS_WRITTEN)) : { $ref: `${PLACE}${name}` };
}

/** Gives each property the description of its name, and removes keywords that only a stand-alone schema has. */
function explained({ $schema, $id, ...schema }: JsonSchema): JsonSchema {
  const inside = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inside);
    if (typeof value !== 'object' || value === null) return value;
    return explained(value as JsonSchema);
  };
  const entries = Object.entries(schema).map(([keyword, value]) => {
    if (keyword !== 'properties') return [keyword, inside(value)];
    const properties = Object.entries(value as Record<string, JsonSchema>).map(([name, property]) => {
      const words = FIELD_WORDS[name];
      return [name, { ...(words === undefined ? {} : { description: words }), ...explained(property) }];
    });
    return [keyword, Object.fromEntries(properties)];
  });
  return Object.fromEntries(entries);
}

type Content = Readonly<Record<string, { readonly schema: z.ZodType }>>;
export interface Response {
  readonly description: string;
  readonly content: Content;
}

/** A route's responses: its answer, its own problems with their meanings, and the problems that any request may get. */
export function responses(
  answer: { readonly of: z.ZodType; readonly is: string; readonly type?: string; readonly status?: 200 | 201 },
  problems: Readonly<Record<number, string>> = {},
): Record<string, Response> {
  const anywhere = {
    401: 'an access token is asked for',
    403: 'the token has none of the scopes that this request takes',
    414: 'path and query are too long',
    429: 'too many requests: see retry-after',
    500: 'an error of ours',
    503: 'passes by itself: see retry-after',
  };
  const all = Object.entries({ ...problems, ...anywhere });
  return {
    [answer.status ?? 200]: {
      description: answer.is,
      content: { [answer.type ?? 'application/json']: { schema: answer.of } },
    },
    ...Object.fromEntries(
      all.map(([status, description]) => [
        status,
        { description, content: { 'application/problem+json': { schema: problemAnswer } } },
      ]),
    ),
  };
}

const contentJson = ({ description, content }: Response) => ({
  description,
  content: Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, { schema: toJson(schema) }])),
});

/** Converts a route's schema for the document. */
function transform(
  guarded: boolean,
  { schema, url, route }: { schema?: FastifySchema; url: string; route?: RouteOptions },
) {
  const { params, querystring, headers, body, response, ...told } = schema ?? {};
  const asked = Object.entries({ params, querystring, headers, body }).flatMap(([part, given]) =>
    given instanceof z.ZodType ? [[part, toJson(given)] as const] : [],
  );
  const answered = Object.entries((response ?? {}) as Record<string, Response>).map(([status, each]) => [
    status,
    contentJson(each),
  ]);
  const scopes = route?.config?.scopes ?? [];
  const security = scopes.map((scope) => ({ token: [SCOPE_WORDS[scope]] }));
  return {
    url,
    schema: {
      ...told,
      ...(guarded && scopes.length > 0 ? { security } : {}),
      ...Object.fromEntries(asked),
      response: Object.fromEntries(answered),
    },
  };
}

const DESCRIPTION = `Settles medical claims out of personal medical-insurance accounts shared within the family (职工医保个人账户家庭共济).
Amounts are yuan with two decimals, as strings. Instants are ISO 8601 with an offset or Z; dates are those of Asia/Shanghai.
Readers must ignore fields they do not know.`;

const TOKEN = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: `An access token of the configured issuer. Its scopes say what it lets its bearer see: ${Object.entries(
    SCOPE_WORDS,
  )
    .map(([scope, word]) => `\`${word}\` ${SCOPE_MEANINGS[scope as Scope]}`)
    .join(', ')}. What is out of sight looks like what does not exist.`,
} as const;

/**
 * Serves `/openapi.json` (OpenAPI 3.1, from the schemas that validate requests) and a page for people at `/docs`, which loads nothing from
 * elsewhere. Neither contains data, so neither needs a token. Must be called before any route is added.
 */
export function describeApi(app: FastifyInstance, { guarded }: { readonly guarded: boolean }): void {
  const { schemas } = z.toJSONSchema(names, { ...AS_WRITTEN, uri: (id) => `${PLACE}${id}` });
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Gongji 共济',
        version: '1',
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        schemas: Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, explained(schema)])),
        ...(guarded ? { securitySchemes: { token: TOKEN } } : {}),
      },
      ...(guarded ? { security: [{ token: [] }] } : {}),
    },
    transform: transform.bind(undefined, guarded) as never,
  });
  app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, open: true };
    });
    docs.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      uiConfig: { validatorUrl: null },
      staticCSP: true,
      transformStaticCSP: (policy) => policy.replace(/ https:| validator\.swagger\.io|upgrade-insecure-requests;/g, ''),
    });
  });
}
