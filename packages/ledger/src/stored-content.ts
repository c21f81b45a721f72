import { isSealed, type StoredContent } from '@repo/sealing';

/**
 * The columns of what a message says. Headers are pairs in an array, their values in base64. Where they are sealed, they are in `value`
 * with the value itself, and in their place stands an object with how many bytes that has: a version that cannot open takes it for no
 * headers and fails, instead of taking the seal for the message.
 */
export type StoredHeaders = readonly (readonly [name: string, base64: string])[] | { readonly sealed: number };

/** What a message says as its columns. */
export function contentColumns(stored: StoredContent): { readonly headers: string; readonly value: Buffer | null } {
  if (isSealed(stored))
    return { headers: JSON.stringify({ sealed: stored.bytes } satisfies StoredHeaders), value: stored.sealed };
  const headers = stored.headers.map(([name, value]) => [name, value.toString('base64')] as const);
  return { headers: JSON.stringify(headers satisfies StoredHeaders), value: stored.value };
}

/** The same, read back. */
export function contentFrom(headers: StoredHeaders, value: Buffer | null): StoredContent {
  if ('sealed' in headers) return { sealed: value ?? Buffer.alloc(0), bytes: headers.sealed };
  return { headers: headers.map(([name, base64]) => [name, Buffer.from(base64, 'base64')] as const), value };
}

/** SQL: how many bytes the value has that the columns `headers` and `value` hold, sealed or not. */
export const VALUE_BYTES = `coalesce((headers ->> 'sealed')::bigint, octet_length(value), 0)`;
