import { isSealed, type StoredContent } from '@repo/sealing';

/**
 * The column that holds a message's headers: an array of pairs with base64 values. Where they are sealed, they are in `value` together with
 * the value itself, and this column is an object with the value's size in bytes. A version that cannot open seals finds no headers in it
 * and fails, instead of taking the seal for the message.
 */
export type StoredHeaders = readonly (readonly [name: string, base64: string])[] | { readonly sealed: number };

/** The columns for a message's content. */
export function contentColumns(stored: StoredContent): { readonly headers: string; readonly value: Buffer | null } {
  if (isSealed(stored))
    return { headers: JSON.stringify({ sealed: stored.bytes } satisfies StoredHeaders), value: stored.sealed };
  const headers = stored.headers.map(([name, value]) => [name, value.toString('base64')] as const);
  return { headers: JSON.stringify(headers satisfies StoredHeaders), value: stored.value };
}

/** The message's content from its columns. */
export function contentFrom(headers: StoredHeaders, value: Buffer | null): StoredContent {
  if ('sealed' in headers) return { sealed: value ?? Buffer.alloc(0), bytes: headers.sealed };
  return { headers: headers.map(([name, base64]) => [name, Buffer.from(base64, 'base64')] as const), value };
}

/** SQL: the size in bytes of the value in the columns `headers` and `value`, sealed or not. */
export const VALUE_BYTES = `coalesce((headers ->> 'sealed')::bigint, octet_length(value), 0)`;
