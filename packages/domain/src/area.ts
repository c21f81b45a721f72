import type { Policy, Scope } from './policy.ts';

/** An administrative area, 6 digits (医保区划): 2 = province, 4 = city. */
export type Area = string;

const provinceOf = (area: Area): string => area.slice(0, 2);

/** Whether `area` lies within `scope` of `home`, an insured area governed by `policy`. */
export function isWithin(scope: Scope, home: Area, area: Area, policy: Pick<Policy, 'poolAreaDigits'>): boolean {
  switch (scope) {
    case 'NATIONWIDE':
      return true;
    case 'SAME_PROVINCE':
      return provinceOf(home) === provinceOf(area);
    case 'SAME_POOLING_AREA':
      return home.slice(0, policy.poolAreaDigits) === area.slice(0, policy.poolAreaDigits);
    default:
      return scope satisfies never;
  }
}

/** Whether both areas are in one province (their first two digits). */
export const isSameProvince = (left: Area, right: Area): boolean => provinceOf(left) === provinceOf(right);
