import { createHash } from 'node:crypto';
import { addDays, BEGINNING, type CalendarDate, type Policy, type PolicyLookup } from '@repo/domain';
import {
  fallbackOf,
  PARAMETER_NAMES,
  type ParameterName,
  type ParameterValue,
  type PlainValue,
  toPlain,
} from './parameters.ts';
import { inForce, type Pack, versionsByRegion } from './versions.ts';

/** The pack that set a value: its file, its region and the date from which that version is in force, or `always`. */
export interface Source {
  readonly file: string;
  readonly region: string;
  readonly version: string;
}

export interface ExplainedParameter {
  readonly parameter: ParameterName;
  readonly value: PlainValue;
  readonly source: Source | 'default';
}

/** The rules of every area on every date, as a set of packs has them. It never changes; new files make a new one. */
export interface Policies {
  /** The rules of an area (6 digits) on a date. Throws RangeError on anything but 6 digits. Remembers: between two changes of the packs it is the same object. */
  readonly policyAt: PolicyLookup;
  /** Every parameter in force in an area on a date, and the pack that set it. */
  readonly explainPolicy: (area: string, on: CalendarDate) => readonly ExplainedParameter[];
  readonly packs: readonly Pack[];
  /** The days on which some pack begins, or the day after it ends, in order. None for a pack that begins on the first date or ends on the last. */
  readonly changes: readonly CalendarDate[];
}

/** Areas remembered at a time; China has about 3,200 areas. Past it the memory starts afresh, so that odd codes cannot fill it. */
const AREAS_MAX = 10_000;
const BASE = '000000';

/** Rules as found: each value with the pack that set it, undefined where the default stands. */
interface Resolved {
  readonly region: string;
  readonly from: CalendarDate | null;
  readonly rules: ReadonlyMap<ParameterName, { readonly value: ParameterValue; readonly pack: Pack | undefined }>;
}

/** Makes the lookup of packs that `parsePacks` accepted. */
export function createPolicies(packs: readonly Pack[]): Policies {
  const versions = versionsByRegion(packs);
  const changes = changesOf(packs);
  const policiesByArea = new Map<string, Policy[]>();

  /** Between two changes every area keeps its rules, so a policy is known by its area and the number of the last change. */
  function policyAt(area: string, on: CalendarDate): Policy {
    const change = changes.findLastIndex((day) => day <= on) + 1;
    const known = policiesByArea.get(area)?.[change];
    if (known) return known;
    const policy = toPolicy(resolve(area, on, versions));
    if (policiesByArea.size >= AREAS_MAX) policiesByArea.clear();
    const policies = policiesByArea.get(area) ?? [];
    policies[change] = policy;
    policiesByArea.set(area, policies);
    return policy;
  }

  return { policyAt, explainPolicy: (area, on) => explain(resolve(area, on, versions)), packs, changes };
}

function changesOf(packs: readonly Pack[]): readonly CalendarDate[] {
  const days = new Set<CalendarDate>();
  for (const { from, to } of packs) {
    if (from !== null && from !== BEGINNING) days.add(from);
    if (to !== null && to < '9999-12-31') days.add(addDays(to, 1));
  }
  return [...days].sort();
}

/** County, city, province, country: `330106`, `330100`, `330000`, `000000`; an area that is itself a city or a province has fewer. */
function regionsOf(area: string): readonly string[] {
  if (!/^\d{6}$/.test(area)) throw new RangeError('an area code has 6 digits');
  return [...new Set([area, `${area.slice(0, 4)}00`, `${area.slice(0, 2)}0000`, BASE])];
}

type Versions = ReadonlyMap<string, readonly Pack[]>;

/** A pack, then the template it adopts, then that one's; `parsePacks` has made sure that this ends. */
function withTemplates(pack: Pack | undefined, on: CalendarDate, versions: Versions): Pack[] {
  if (!pack) return [];
  return [
    pack,
    ...withTemplates(pack.adopts === null ? undefined : inForce(versions.get(pack.adopts), on), on, versions),
  ];
}

function resolve(area: string, on: CalendarDate, versions: Versions): Resolved {
  const own = regionsOf(area).flatMap((region) => inForce(versions.get(region), on) ?? []);
  const ranked = own.flatMap((pack) => withTemplates(pack, on, versions));
  const rules = new Map<ParameterName, { value: ParameterValue; pack: Pack | undefined }>();
  const above: Record<string, ParameterValue> = {};
  for (const name of PARAMETER_NAMES) {
    const pack = ranked.find((candidate) => candidate.values.has(name));
    const value = pack?.values.get(name);
    const effective = value === undefined ? fallbackOf(name, area, above) : value;
    above[name] = effective;
    rules.set(name, { value: effective, pack });
  }
  return { region: own[0]?.region ?? BASE, from: own[0]?.from ?? null, rules };
}

const versionName = (from: CalendarDate | null): string => from ?? 'always';

/** The version is the pack's first day and 8 hex digits of a hash over all values: two outcomes that name it were decided by equal rules. */
function toPolicy({ region, from, rules }: Resolved): Policy {
  const values = [...rules].map(([name, { value }]) => [name, value] as const);
  const text = JSON.stringify(values.map(([name, value]) => [name, toPlain(value)]));
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  const version = `${versionName(from)}.${hash}`;
  return Object.freeze({ region, version, ...Object.fromEntries(values) }) as unknown as Policy;
}

function explain({ rules }: Resolved): ExplainedParameter[] {
  return [...rules].map(([parameter, { value, pack }]) => ({
    parameter,
    value: toPlain(value),
    source: pack ? { file: pack.file, region: pack.region, version: versionName(pack.from) } : 'default',
  }));
}
