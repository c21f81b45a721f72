import { hash } from 'node:crypto';

/**
 * The settlement id (结算ID) of a claim: `S` and the first 24 hexadecimal digits of its claim id's SHA-256. So it is the same however often
 * the claim is sent, and needs no counter. The national interface allows 30 characters.
 */
export const settlementIdOf = (claimId: string): string => `S${hash('sha256', claimId).slice(0, 24)}`;
