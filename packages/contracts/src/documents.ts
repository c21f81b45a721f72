import { z } from 'zod';
import { claimRefunded, claimSubmitted, premiumSubmitted } from './claims-in.ts';
import { FIELD_WORDS } from './field-words.ts';
import { arrearsCheck, memberSchemas } from './members-in.ts';
import { settlementSchemas, sharingSchemas } from './published.ts';
import { type Topics, topicsOf } from './topics.ts';

type Json = Readonly<Record<string, unknown>>;

/** The event types of each topic with their schemas: inputs are decoded by them; outputs are held to them by tests. */
export const EVENT_SCHEMAS: Readonly<
  Record<Exclude<keyof Topics, 'deadLetters'>, Readonly<Record<string, z.ZodType>>>
> = {
  claims: {
    'claim.submitted': claimSubmitted,
    'claim.refunded': claimRefunded,
    'premium.submitted': premiumSubmitted,
  },
  members: { ...memberSchemas, 'arrears.check': arrearsCheck },
  settlements: settlementSchemas,
  sharing: sharingSchemas,
};

/** What each event means, in one line. */
const EVENT_WORDS: Readonly<Record<string, string>> = {
  'claim.submitted': '结算申请: a priced visit whose personal share is to be divided',
  'claim.refunded': '退费: all or part of a settlement is to go back',
  'premium.submitted': '代缴居民医保费: a payer pays a relative’s resident premium',
  'account.opened': 'a person and their account enter, with the state they have in the system they come from',
  'account.changed': 'facts other than money change',
  'account.credited': 'money enters the current-year portion',
  'contribution.received': 'a month is paid; its amount, if any, is credited',
  'contribution.missed': 'a month enters the unpaid set',
  'contribution.recovered': '补缴: a month leaves the unpaid set',
  'binding.opened': '共济关系: a binding enters with the state it has in the system it comes from',
  'binding.requested': 'a new binding, checked against the payer’s policy',
  'binding.approved': 'a requested binding is approved',
  'binding.rejected': 'a requested binding is not approved',
  'binding.revoked': '解除: the payer ends the binding',
  'binding.changed': 'settings of a binding change',
  'binding.paused': '暂停: the payer switches sharing off',
  'binding.resumed': '恢复: the payer switches sharing on again',
  'refund.paid': 'money held for manual payout was paid out',
  'arrears.check': 'marks the months missed up to a date',
  'settlement.settled': 'a claim was settled: who paid what, and who was passed over and why',
  'settlement.refused': 'no account may pay for this claim: all of it is cash',
  'settlement.rejected': 'the claim could not be read or taken: nothing was settled',
  'refund.settled': 'money went back to where it came from; the three parts are negative',
  'refund.refused': 'nothing goes back, and why',
  'premium.settled': 'a premium was paid',
  'premium.refused': 'a premium was not paid, and why',
  'sharing.paused': 'a reason to pause was added to a binding',
  'sharing.resumed': 'a reason to pause was taken from a binding',
  'binding.activated': 'a requested binding is in force, or paused where the payer is',
  'binding.refused': 'a requested binding was not made, and why',
};

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Every event type of every topic as JSON Schema 2020-12: what senders may send and what readers receive. */
export function eventSchemas(): {
  readonly topic: keyof typeof EVENT_SCHEMAS;
  readonly type: string;
  readonly schema: Json;
}[] {
  return (Object.keys(EVENT_SCHEMAS) as (keyof typeof EVENT_SCHEMAS)[]).flatMap((topic) =>
    Object.entries(EVENT_SCHEMAS[topic]).map(([type, schema]) => ({
      topic,
      type,
      schema: {
        $schema: DIALECT,
        $id: `urn:gongji:${topic}:v1:${type}`,
        title: type,
        description: EVENT_WORDS[type] ?? '',
        ...toJsonSchema(schema),
      },
    })),
  );
}

/** A schema as JSON Schema, each property with the description of its name. Open at every level: readers ignore unknown fields. */
function toJsonSchema(schema: z.ZodType): Json {
  const { $schema, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return withWords(json) as Json;
}

function withWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withWords);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([keyword, inside]) => [
    keyword,
    keyword === 'properties' ? properties(inside as Readonly<Record<string, Json>>) : withWords(inside),
  ]);
  return Object.fromEntries(entries);
}

const properties = (named: Readonly<Record<string, Json>>): Json =>
  Object.fromEntries(
    Object.entries(named).map(([name, schema]) => {
      const words = FIELD_WORDS[name];
      return [name, { ...(words === undefined ? {} : { description: words }), ...(withWords(schema) as Json) }];
    }),
  );

const CHANNEL_WORDS = {
  claims: 'Claims, refunds and premiums in. Keyed by the patient’s, of a premium the beneficiary’s, person number.',
  members: 'Accounts, contributions and bindings in. Keyed by the person, of a binding by the payer.',
  settlements: 'Outcomes of the claims topic, each exactly once under read_committed. Keyed as the claim.',
  sharing: 'What became of bindings, each exactly once under read_committed. Keyed by the payer.',
  deadLetters:
    'What could not be used: the original key, value and headers, byte for byte, with headers of ours that say why.',
} as const;

const text = (description: string): Json => ({ type: 'string', description });
const CE_TYPE = text('the type of the event; on input a field of that name at the top level may say it instead');
const OUTPUT_HEADERS: Json = {
  type: 'object',
  required: ['ce_specversion', 'ce_type', 'ce_id', 'ce_source', 'ce_time', 'content-type', 'ce_sequence'],
  properties: {
    ce_specversion: { const: '1.0' },
    ce_type: text('the type of the event'),
    ce_id: text('derives from what is answered: the same for every copy'),
    ce_source: text('the writer: one for each partition'),
    ce_time: text('the moment of the event'),
    'content-type': { const: 'application/json' },
    ce_sequence: text('a number without gaps per topic and partition'),
    traceparent: text('W3C trace context of the input'),
  },
};
const INPUT_HEADERS: Json = {
  type: 'object',
  properties: {
    ce_type: CE_TYPE,
    ce_time: text('the event’s moment where it has no time of its own'),
    traceparent: text('carried through to the output'),
  },
};
const DEAD_HEADERS: Json = {
  type: 'object',
  required: [
    'gongji-code',
    'gongji-detail',
    'gongji-topic',
    'gongji-partition',
    'gongji-offset',
    'gongji-at',
    'gongji-sequence',
  ],
  properties: {
    'gongji-code': text('why, as an outcome code'),
    'gongji-detail': text('what was expected where; no personal data'),
    'gongji-topic': text('the topic it came by'),
    'gongji-partition': text('its partition there'),
    'gongji-offset': text('its offset there'),
    'gongji-at': text('the moment of the message itself, as its topic has it'),
    'gongji-sequence': text('a number without gaps per partition'),
  },
};

const KEY = { kafka: { key: text('a person number, UTF-8'), bindingVersion: '0.5.0' } };
const headersOf = (topic: keyof Topics): Json =>
  topic === 'deadLetters' ? DEAD_HEADERS : isInput(topic) ? INPUT_HEADERS : OUTPUT_HEADERS;
const isInput = (topic: keyof Topics): boolean => topic === 'claims' || topic === 'members';
const capital = (word: string): string => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;

/** Two topics may have events of the same type, so a message is named by both. */
const messageName = (topic: string, type: string): string => `${topic}.${type}`;

/** An AsyncAPI 3.0 document of the topics and their events, with the default prefix and the schemas of `eventSchemas`. */
export function asyncApi(): Json {
  const topics = topicsOf('gongji');
  const events = eventSchemas();
  const messagesOf = (topic: keyof Topics): string[] =>
    topic === 'deadLetters'
      ? ['deadLetters.any']
      : events.filter((each) => each.topic === topic).map(({ type }) => messageName(topic, type));
  const names = Object.keys(topics) as (keyof Topics)[];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Gongji 共济',
      version: '1',
      description:
        'Settles medical claims out of family-shared personal medical-insurance accounts (职工医保个人账户家庭共济). Amounts are yuan with two decimals, as strings; instants are ISO 8601 with an offset or Z; dates are those of Asia/Shanghai. Readers ignore fields and event types they do not know.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(
      names.map((topic) => [
        topic,
        {
          address: topics[topic],
          description: CHANNEL_WORDS[topic],
          messages: Object.fromEntries(
            messagesOf(topic).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
          ),
          bindings: { kafka: { topic: topics[topic], bindingVersion: '0.5.0' } },
        },
      ]),
    ),
    operations: Object.fromEntries(
      names.map((topic) => [
        `${isInput(topic) ? 'receive' : 'send'}${capital(topic)}`,
        { action: isInput(topic) ? 'receive' : 'send', channel: { $ref: `#/channels/${topic}` } },
      ]),
    ),
    components: {
      messages: {
        ...Object.fromEntries(
          events.map(({ topic, type, schema }) => [
            messageName(topic, type),
            {
              name: type,
              summary: schema.description,
              headers: headersOf(topic),
              payload: { $ref: `#/components/schemas/${messageName(topic, type)}` },
              bindings: KEY,
            },
          ]),
        ),
        'deadLetters.any': {
          summary: 'a message that could not be used',
          headers: DEAD_HEADERS,
          payload: {},
          bindings: KEY,
        },
      },
      schemas: Object.fromEntries(
        events.map(({ topic, type, schema: { $schema, $id, ...schema } }) => [messageName(topic, type), schema]),
      ),
    },
  };
}

/** The expected content of the files in `schemas/`, by name. */
export function documents(): ReadonlyMap<string, string> {
  const files = [
    ...eventSchemas().map(({ topic, type, schema }) => [`${topic}/${type}.json`, schema] as const),
    ['asyncapi.json', asyncApi()] as const,
  ];
  return new Map(files.map(([name, json]) => [name, `${JSON.stringify(json, null, 2)}\n`]));
}
