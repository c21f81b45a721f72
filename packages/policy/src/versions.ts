import { addDays, BEGINNING, type CalendarDate } from '@repo/domain';
import type { ParameterName, ParameterValue } from './parameters.ts';

/** One version of one region's rules, or of a template's: only what its file sets. */
export interface Pack {
  readonly file: string;
  /** 6 digits, or the name of a template. */
  readonly region: string;
  /** First day in force; null = always. */
  readonly from: CalendarDate | null;
  /** Last day in force; null = until further notice. */
  readonly to: CalendarDate | null;
  readonly adopts: string | null;
  readonly values: ReadonlyMap<ParameterName, ParameterValue>;
}

/** What comes before every date and after it, where a pack says "always" and "until further notice". */
const FIRST = '0000-00-00';
const LAST = '9999-99-99';
const fromOf = (pack: Pack): string => pack.from ?? FIRST;
const toOf = (pack: Pack): string => pack.to ?? LAST;

/** The packs of each region, earliest first. */
export function versionsByRegion(packs: readonly Pack[]): ReadonlyMap<string, readonly Pack[]> {
  const sorted = [...packs].sort((left, right) =>
    fromOf(left) < fromOf(right) ? -1 : Number(fromOf(left) > fromOf(right)),
  );
  return Map.groupBy(sorted, (pack) => pack.region);
}

/** The version in force on a date, undefined before a region's first and after its last. */
export const inForce = (versions: readonly Pack[] | undefined, on: CalendarDate): Pack | undefined =>
  versions?.find((pack) => fromOf(pack) <= on && on <= toOf(pack));

/**
 * What is wrong between packs: overlaps and gaps between the versions of one region, and adopted templates that are not
 * there. Regions of which some file has an `unsound` header are not compared, lest one slip be reported as two.
 */
export function versionProblems(packs: readonly Pack[], unsound: ReadonlySet<string>): string[] {
  const versions = versionsByRegion(packs);
  const problems: string[] = [];
  for (const [region, ofRegion] of versions) {
    if (unsound.has(region)) continue;
    for (const [index, pack] of ofRegion.entries()) {
      const next = ofRegion[index + 1];
      if (next) problems.push(...borderProblems(pack, next));
    }
  }
  for (const pack of packs) {
    if (pack.adopts !== null && !unsound.has(pack.adopts))
      problems.push(...templateProblems(pack, pack.adopts, versions));
  }
  return problems;
}

/** One version ends the day before the next begins. Before the first date there is no day: a version that begins on it begins as `always` does. */
function borderProblems(pack: Pack, next: Pack): string[] {
  if (pack.from === next.from || next.from === null || next.from === BEGINNING) {
    return [
      `${next.file}: effectiveFrom: expected another date than that of ${pack.file}, for the same region ${pack.region}; found ${next.from}`,
    ];
  }
  const end = addDays(next.from, -1);
  if (pack.to === end) return [];
  const flaw = toOf(pack) > end ? 'they overlap' : 'there is a gap between them';
  return [
    `${pack.file}: effectiveTo: expected ${end}, as the next version of region ${pack.region} (${next.file}) begins on ${next.from}; ` +
      `found ${pack.to}: ${flaw} (to end a shipped version, add a copy of its file with that effectiveTo)`,
  ];
}

/** An adopted template is there for as long as its adopter, and does not adopt itself by way of others. */
function templateProblems(pack: Pack, name: string, versions: ReadonlyMap<string, readonly Pack[]>): string[] {
  const problem = (expected: string): string[] => [`${pack.file}: extends: expected ${expected}; found ${name}`];
  const first = versions.get(name)?.at(0);
  const last = versions.get(name)?.at(-1);
  if (!first || !last) {
    const known = [...versions.keys()].filter((region) => region.startsWith('T'));
    return problem(`the name of a template that is there (${known.join(', ') || 'there is none'})`);
  }
  if (adoptsItself(name, versions)) return problem('a template that does not adopt itself');
  if (fromOf(first) > fromOf(pack) || toOf(last) < toOf(pack)) {
    return problem(
      `a template in force from ${pack.from ?? 'always'} to ${pack.to ?? 'further notice'}, as this pack is`,
    );
  }
  return [];
}

function adoptsItself(start: string, versions: ReadonlyMap<string, readonly Pack[]>): boolean {
  const seen = new Set<string>();
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const { adopts } of versions.get(name) ?? []) {
      if (adopts === start) return true;
      if (adopts !== null && !seen.has(adopts)) open.push(adopts);
      if (adopts !== null) seen.add(adopts);
    }
  }
  return false;
}
