import { TokenError, type TokenFault } from './oauth.ts';

/** What a server is called and where it is set, for the person who reads the message. */
interface Place {
  readonly server: string;
  readonly host: string;
  readonly ca: string;
}

const KAFKA: Place = { server: 'Kafka', host: 'GONGJI_KAFKA_BROKERS', ca: 'GONGJI_KAFKA_TLS_CA' };
const POSTGRES: Place = { server: 'PostgreSQL', host: 'the database URL', ca: 'sslrootcert of the database URL' };
const TOKENS: Place = {
  server: 'The token endpoint',
  host: 'GONGJI_KAFKA_OAUTH_TOKEN_URL',
  ca: 'the file that NODE_EXTRA_CA_CERTS names',
};

type Explain = (place: Place) => string;

const unknownAuthority: Explain = ({ server, ca }) =>
  `${server} shows a certificate of an authority that is not trusted: put that authority's certificate into ${ca}`;
const noTls: Explain = ({ server, host }) => `${server} does not speak TLS there: check the port in ${host}`;
const ourCertificate: Explain = ({ server }) =>
  `${server} does not take our certificate: give one that it trusts and that has not expired`;

/** By the code of OpenSSL or Node; a map of causes, not of messages, which may hold more than may be shown. */
const TLS_FAULTS: Readonly<Record<string, Explain>> = {
  CERT_HAS_EXPIRED: ({ server }) => `${server} shows a certificate that has expired: put a new one on the server`,
  CERT_NOT_YET_VALID: ({ server }) => `${server} shows a certificate that is not valid yet: check both clocks`,
  ERR_TLS_CERT_ALTNAME_INVALID: ({ server, host }) =>
    `${server} shows a certificate for another host name: write a name that it is for in ${host}, or have the server's made for this one`,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  CERT_SIGNATURE_FAILURE: unknownAuthority,
  CERT_REVOKED: ({ server }) => `${server} shows a certificate that was revoked: put a new one on the server`,
  // Named so where the connection is made.
  TLS_HANDSHAKE_CUT: ({ server, host }) =>
    `${server} cut the connection before TLS was agreed on: it is just stopping, or the port in ${host} is one without TLS`,
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: ourCertificate,
  ERR_SSL_SSL_V3_ALERT_BAD_CERTIFICATE: ourCertificate,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: ourCertificate,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: ourCertificate,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: ourCertificate,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: ourCertificate,
  // As OpenSSL 3.5 names the alerts of before, with Node 24.
  'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE': ourCertificate,
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN': ourCertificate,
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED': ourCertificate,
};

const DATABASE_FAULTS: Readonly<Record<string, string>> = {
  '28P01': 'PostgreSQL refuses the user or the password (28P01): check both in the database URL',
  '28000':
    'PostgreSQL lets nobody in from here like this (28000): check the user and, where it asks for TLS, sslmode=verify-full in the database URL, then its pg_hba.conf',
};

const TOKEN_FAULTS: Readonly<Record<TokenFault, (detail: string) => string>> = {
  TOKEN_REFUSED: (detail) =>
    `The token endpoint gives no token (${detail}): check GONGJI_KAFKA_OAUTH_CLIENT_ID, _CLIENT_SECRET and _SCOPE`,
  TOKEN_UNREACHABLE: (detail) => `The token endpoint does not answer (${detail}): check GONGJI_KAFKA_OAUTH_TOKEN_URL`,
  TOKEN_TOO_SHORT: (detail) =>
    `The token endpoint gives tokens for ${detail}: have it give them for 20 s at least, better for minutes`,
};

/** node-postgres has no code for it; the text is its own and holds nothing else. */
const NO_TLS_HERE = 'The server does not support SSL connections';

/**
 * Says in a sentence, for the person who must act, why a server does not let us in; undefined for any other error. It is put together from
 * codes alone, so that it may be shown anywhere.
 */
export function explainRefusal(error: unknown): string | undefined {
  const chain = [...causesOf(error)];
  const token = chain.find((each) => each instanceof TokenError);
  if (token !== undefined) {
    const tls = chain.map(({ code }) => TLS_FAULTS[String(code)]).find((each) => each !== undefined);
    return tls?.(TOKENS) ?? TOKEN_FAULTS[token.code](token.detail);
  }
  const isKafkas = chain.some(({ name }) => name.startsWith('KafkaJS'));
  for (const { name, code, type, message } of chain) {
    if (name === 'KafkaJSSASLAuthenticationError')
      return 'Kafka refuses the login: check GONGJI_KAFKA_SASL_MECHANISM and what goes with it, and that the broker knows this user';
    if (isKafkas && typeof type === 'string' && type.endsWith('_AUTHORIZATION_FAILED'))
      return `Kafka does not let this login do what it must (${type}): give it its lines of deploy/kafka/acls.csv`;
    const explain = TLS_FAULTS[String(code)];
    if (explain !== undefined) return explain(isKafkas ? KAFKA : POSTGRES);
    if (isKafkas) continue;
    if (message === NO_TLS_HERE) return noTls(POSTGRES);
    const fault = DATABASE_FAULTS[String(code)];
    if (fault !== undefined) return fault;
  }
  return undefined;
}

type Link = Error & { readonly code?: unknown; readonly type?: unknown; readonly errors?: unknown };

const DEPTH_MAX = 6;

/** The error, its causes, and the errors an aggregate holds. */
export function* causesOf(error: unknown, depth = 0): Generator<Link> {
  if (!(error instanceof Error) || depth === DEPTH_MAX) return;
  yield error;
  yield* causesOf(error.cause, depth + 1);
  const { errors } = error as Link;
  if (Array.isArray(errors)) for (const inner of errors) yield* causesOf(inner, depth + 1);
}

/** The same for a connection to a broker that was made without a Kafka client. */
export function explainBrokerTls(error: unknown): string | undefined {
  for (const { code } of causesOf(error)) {
    const explain = TLS_FAULTS[String(code)];
    if (explain !== undefined) return explain(KAFKA);
  }
  return undefined;
}
