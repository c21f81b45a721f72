import { expect } from 'vitest';

/** Expects what is read to become what is wanted. */
export const poll = <T>(read: () => T) => expect.poll(read, { timeout: 60_000 });
