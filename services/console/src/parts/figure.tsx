import { grouped } from './fen.ts';

/** An amount of yuan, its digits under those of the next. */
export const Yuan = ({ amount, strong = false }: { readonly amount: string | null; readonly strong?: boolean }) => (
  <span className="figure" style={strong ? { fontWeight: 600 } : undefined}>
    {amount === null ? '–' : grouped(amount)}
  </span>
);

/** `2025-03-10 10:00` in Shanghai, whatever the computer's zone. */
export function timeOf(instant: string): string {
  const parts = new Intl.DateTimeFormat('sv-SE', {
    timeZone: 'Asia/Shanghai',
    dateStyle: 'short',
    timeStyle: 'short',
  });
  return parts.format(momentOf(instant));
}

/** A claim's moment is shown as its sender wrote it, perhaps with an offset of hours alone, which `Date` does not read. */
const momentOf = (instant: string): Date =>
  new Date(instant.replace(/(T.*[+-]\d\d):?(\d\d)?$/, (_, hours, minutes = '00') => `${hours}:${minutes}`));

export const dayOf = (instant: string): string => timeOf(instant).slice(0, 10);

export const personLink = (personNo: string): string => `#/people/${encodeURIComponent(personNo)}`;
export const claimLink = (claimId: string): string => `#/claims/${encodeURIComponent(claimId)}`;
