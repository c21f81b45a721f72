import { hash } from 'node:crypto';

/**
 * The settlement id (结算ID) of a claim: `S` and 24 hexadecimal digits of its claim id's SHA-256, so that it is the same however
 * often the claim is sent, and needs no counter. 30 characters is what the national interface allows.
 */
export const settlementIdOf = (claimId: string): string => `S${hash('sha256', claimId).slice(0, 24)}`;
