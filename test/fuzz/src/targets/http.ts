import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { Dice } from '../dice.ts';
import { hostileRecord } from '../events.ts';
import { CANARY, hostileText } from '../hostile.ts';
import { FINDINGS_MAX, type Finding, type Range, type Result } from '../result.ts';
import { promise, textOf } from '../target.ts';

type Json = Readonly<Record<string, unknown>>;
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: { readonly enum?: readonly string[]; readonly format?: string };
}
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, { readonly content: Json }>>;
}
type Document = Json & { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

interface Call {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}
interface Request {
  /** Null: the request is of no operation that the document has. */
  readonly call: Call | null;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}
interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

const LANES = 4;
const ANSWER_WITHIN_MS = 30_000;
const PROBLEM = 'application/problem+json';
/** Any request may get these, before it is known what it asks for. */
const ANYWHERE: ReadonlySet<number> = new Set([408, 413, 417, 431]);

/** What may be meant by a parameter, by its name, its format or its place. */
const WELL_SAID: Readonly<Record<string, readonly string[]>> = {
  psn_no: ['P1', 'P2'],
  payer: ['P1', 'P2'],
  beneficiary: ['P1', 'P3'],
  claim_id: ['C1', 'C2', 'Q1'],
  refund_id: ['R1'],
  'date-time': ['2025-03-10T10:00:00+08:00', '1900-01-01T00:00:00+23:59', '9999-12-31T23:59:59-23:59'],
  date: ['2025-03-10', '0001-01-01', '9999-12-31'],
  after: ['P1', 'WyIyMDI1LTAzLTEwIiwiMSIsIlAxIl0', 'WyIyMDI1LTAzLTEwIiwiOTk5OTk5OTk5OTk5OTk5OTk5IiwiUDEiXQ', 'W10'],
};
const ENCODED = [
  '%00',
  '%',
  '%zz',
  '%c0%af',
  '%ed%a0%80',
  '..%2f..',
  '.',
  '..',
  '%2e%2e',
  ';a=b',
  "'--",
  '%0d%0aX:1',
  '*',
  '__proto__',
];
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'];
const HEADERS: readonly (readonly [string, string])[] = [
  ['content-type', 'text/plain'],
  ['content-type', 'application/json; charset=utf-16'],
  ['content-type', '__proto__'],
  ['accept', 'application/xml'],
  ['accept-version', '9'],
  ['authorization', 'Bearer a.b.c'],
  ['authorization', `Basic ${'x'.repeat(5_000)}`],
  ['x-forwarded-host', 'elsewhere'],
  ['range', 'bytes=0-0'],
  ['expect', '200-ok'],
  ['content-encoding', 'gzip'],
  ['x-long', 'x'.repeat(12_000)],
];
/** What is no HTTP request, or only nearly one. */
const RAW = [
  'GET',
  'GET / HTTP/9.9\r\n\r\n',
  'GET /v1/accounts/P1 HTTP/1.1\r\n\r\n',
  'GET /v1/accounts/P1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'GET \0 HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET http://[/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET //// HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /v1/quotes HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{}',
  'POST /v1/quotes HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
  'POST /v1/quotes HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST /v1/quotes HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  `GET /v1/accounts/${'x'.repeat(70_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
];

/** The HTTP interface, asked what its own description offers and what it does not: every answer is one that the description has. */
export async function feedHttp(
  base: string,
  { seed, from, inputs, onProgress = () => undefined }: Range,
): Promise<Result> {
  const document = (await (await fetch(`${base}/openapi.json`)).json()) as Document;
  const check = checkOf(document);
  const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Call => ({ path, method: method.toUpperCase(), operation })),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  const findings: Finding[] = [];
  const slow = { slowestMs: 0, slowest: from };
  const startedAt = performance.now();
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < from + inputs && findings.length < FINDINGS_MAX) {
      const input = next++;
      const dice = new Dice(seed, 'http', input);
      const askedAt = performance.now();
      try {
        if (dice.chance(2)) await askRaw(base, dice);
        else {
          const asked = requestOf(dice, calls);
          check(asked, await ask(base, asked, agent));
        }
      } catch (error) {
        findings.push({ target: 'http', input, what: textOf(error) });
      }
      const ms = performance.now() - askedAt;
      if (ms > slow.slowestMs) Object.assign(slow, { slowestMs: ms, slowest: input });
      onProgress(next - from);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  agent.destroy();
  return { target: 'http', inputs: next - from, seconds: (performance.now() - startedAt) / 1000, ...slow, findings };
}

function requestOf(dice: Dice, calls: readonly Call[]): Request {
  const call = dice.pick(calls);
  const isOther = dice.chance(4);
  const value = (parameter: Parameter): string => textFor(dice, parameter);
  const given = call.operation.parameters ?? [];
  let target = call.path;
  for (const parameter of given.filter((each) => each.in === 'path'))
    target = target.replace(`{${parameter.name}}`, () => value(parameter));
  const query = given
    .filter((each) => each.in === 'query' && dice.chance(70))
    .flatMap((each) => (dice.chance(5) ? [each, each] : [each]))
    .map((each) => `${each.name}=${value(each)}`);
  if (dice.chance(5))
    query.push(dice.pick(['__proto__=1', 'at[]=1', '=', '&&', '%=%', 'constructor', 'payer[a]=1', 'x'.repeat(4_000)]));
  if (query.length > 0) target += `?${query.join('&')}`;
  const body =
    call.operation.requestBody === undefined ? null : (hostileRecord(dice, 'claims').value ?? Buffer.alloc(0));
  const odd = dice.list(dice.chance(10) ? 2 : 0, () => dice.pick(HEADERS));
  const own = body === null ? {} : { 'content-type': 'application/json', 'content-length': String(body.length) };
  return {
    call: isOther ? null : call,
    method: isOther ? dice.pick(METHODS) : call.method,
    target,
    headers: { ...own, ...Object.fromEntries(odd) },
    body,
  };
}

function textFor(dice: Dice, { name, schema }: Parameter): string {
  const meant = schema.enum ?? WELL_SAID[name] ?? WELL_SAID[schema.format ?? ''] ?? ['x'];
  return dice.way(
    () => encodeURIComponent(dice.pick(meant)),
    () => encodeURIComponent(hostileText(dice).toWellFormed()),
    () => dice.pick(ENCODED),
    () =>
      encodeURIComponent(
        dice.pick(['null', '0', '-1', '1e400', '[object Object]', '2025-02-30', CANARY, '1'.repeat(3_000)]),
      ),
    () => '',
  );
}

function ask(base: string, { method, target, headers, body }: Request, agent: Agent): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, hostname, port, method, path: target, headers }, (incoming) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('error', reject);
      incoming.on('end', () => {
        clearTimeout(timer);
        resolve({
          status: incoming.statusCode ?? 0,
          type: incoming.headers['content-type'] ?? '',
          body: Buffer.concat(parts),
        });
      });
    });
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} s`)),
      ANSWER_WITHIN_MS,
    );
    outgoing.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    outgoing.end(body ?? undefined);
  });
}

/** Bytes that are no request: refused with a problem, or by Node itself with an empty answer, or taken for a request; then the connection is closed. */
async function askRaw(base: string, dice: Dice): Promise<void> {
  const bytes = dice.chance(70) ? Buffer.from(dice.pick(RAW), 'latin1') : dice.bytes(300);
  const { hostname, port } = new URL(base);
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    const parts: Buffer[] = [];
    socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy(new Error('the connection of no request is kept open')));
    socket.on('data', (part) => parts.push(part));
    // A refusal may be cut off by the reset that follows what was not read any more.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      ['ECONNRESET', 'EPIPE'].includes(error.code ?? '') ? resolve('') : reject(error),
    );
    socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
  });
  if (answer === '') return;
  const [, status = '', headers = ''] = /^HTTP\/1\.1 (\d{3}) [^\r]*\r\n(.*?)\r\n\r\n/s.exec(answer) ?? [];
  promise(/^[24]/.test(status), `what is no request is answered with ${status}`);
  const isProblem = headers.toLowerCase().includes(PROBLEM);
  promise(
    !status.startsWith('4') || isProblem || answer.endsWith('\r\n\r\n'),
    `what is no request is answered with ${status}, but no problem`,
  );
}

/** Checks an answer by the document: its status and type are there, its body is as described, and nothing that was sent is repeated. */
function checkOf(document: Document): (asked: Request, answer: Answer) => void {
  const ajv = new Ajv2020({ strict: false, validateSchema: false });
  formats.default(ajv);
  ajv.addSchema(document as Json, 'document');
  const validators = new Map<string, ValidateFunction>();
  const validatorOf = (place: string): ValidateFunction => {
    const found = validators.get(place) ?? ajv.compile({ $ref: `document#${place}` });
    validators.set(place, found);
    return found;
  };
  return ({ call, method, target }, { status, type, body }) => {
    const asked = `${method} ${target.slice(0, 80)} is answered with ${status}`;
    const [kind = ''] = type.split(';');
    promise(status < 500, asked);
    if (call === null)
      return void promise(status < 400 || method === 'HEAD' || kind === PROBLEM, `${asked}, but no problem`);
    const documented = call.operation.responses[String(status)]?.content;
    if (status >= 400) {
      promise(kind === PROBLEM, `${asked}, but no problem`);
      const problem = JSON.parse(body.toString()) as Json;
      promise(
        problem.status === status && typeof problem.detail === 'string',
        `${asked}, and a problem that says otherwise`,
      );
      promise(!body.includes(CANARY), `${asked} and what was sent`);
      // An empty or dotted parameter makes another path, which no operation has.
      const isElsewhere = (status === 404 || status === 405) && /\/(?:\?|$|\/|\.)|%2e|\*/.test(target);
      const isKnown = documented !== undefined || isElsewhere || ANYWHERE.has(status);
      return void promise(isKnown, `${asked}, which the description does not have`);
    }
    promise(documented !== undefined && kind in documented, `${asked} as ${kind}, which the description does not have`);
    if (kind !== 'application/json') return;
    const pointer = [call.path, call.method.toLowerCase()].map((part) =>
      part.replaceAll('~', '~0').replaceAll('/', '~1'),
    );
    const place = `/paths/${pointer.map(encodeURIComponent).join('/')}/responses/${status}/content/application~1json/schema`;
    const validate = validatorOf(place);
    promise(
      validate(JSON.parse(body.toString())),
      `${asked}, not as described: ${ajv.errorsText(validate.errors).slice(0, 300)}`,
    );
  };
}
