import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Problem, problemText, titleOf } from './problem.ts';

/** What Node refuses before Fastify has a request, by Node's codes. Any other error means that it was no HTTP request. */
const REFUSALS: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: new Problem('headers-too-large', 'expected headers of at most 16 KiB in all'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: new Problem('body-too-large', 'expected chunks without extensions'),
  ERR_HTTP_REQUEST_TIMEOUT: new Problem('request-too-slow', 'expected the whole request within 10 s'),
};
const NO_REQUEST = new Problem('malformed-request', 'expected a well-formed request');
const NO_EXPECTATION = new Problem('bad-expectation', 'expect: expected 100-continue');

/**
 * Answers a request that is malformed, too large or too slow with a problem, and closes the connection, on which nothing further can be
 * parsed.
 */
export function refuseConnection(error: { readonly code?: string | undefined }, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && socket.writable) {
    const problem = REFUSALS[error.code ?? ''] ?? NO_REQUEST;
    const body = problemText(problem);
    const headers = `content-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`;
    socket.write(`HTTP/1.1 ${problem.status} ${titleOf(problem)}\r\n${headers}\r\n\r\n${body}`);
  }
  socket.destroySoon();
}

/** Answers a request with an `Expect` header other than 100-continue. */
export function refuseExpectation(response: ServerResponse): void {
  response.writeHead(NO_EXPECTATION.status, { 'content-type': 'application/problem+json' });
  response.end(problemText(NO_EXPECTATION));
}
