/** The access token of this tab. It is kept for the session of the tab, and never in an address or beyond the session. */
const KEY = 'gongji.token';
const watchers = new Set<() => void>();

export const readToken = (): string | null => sessionStorage.getItem(KEY);

export function keepToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, token);
  for (const changed of watchers) changed();
}

/** Calls `changed` whenever a token is kept or thrown away; answers how to end that. */
export function watchToken(changed: () => void): () => void {
  watchers.add(changed);
  return () => void watchers.delete(changed);
}
