import { type Entry, readDocument, shorten } from './document.ts';
import type { Kind } from './kinds.ts';
import {
  HEADER,
  isParameterName,
  PARAMETER_NAMES,
  PARAMETERS,
  type ParameterName,
  type ParameterValue,
} from './parameters.ts';
import { nearest } from './suggest.ts';
import { type Pack, versionProblems } from './versions.ts';

/** The text of one policy file. `name` appears in problems and explanations. */
export interface PackFile {
  readonly name: string;
  readonly text: string;
}

export type ParsedPacks = { readonly packs: readonly Pack[] } | { readonly problems: readonly string[] };

/** What could be read of one file: a pack if its header is sound, and its region if at least that is. */
interface Reading {
  readonly pack: Pack | undefined;
  readonly region: string | undefined;
  readonly problems: readonly string[];
}

type HeaderName = keyof typeof HEADER;
const HEADER_NAMES = Object.keys(HEADER) as readonly HeaderName[];
const KNOWN_NAMES: readonly string[] = [...HEADER_NAMES, ...PARAMETER_NAMES];

/**
 * Reads policy files. A pack of `additions` replaces the one of `files` with the same region and `effectiveFrom`, else it
 * is added. Answers the packs, or every problem of all files: each names the file, the parameter and what was expected.
 * Pure, and never throws, whatever the texts are.
 */
export function parsePacks(files: readonly PackFile[], additions: readonly PackFile[] = []): ParsedPacks {
  const base = files.map(readPack);
  const added = additions.map(readPack);
  const replaced = new Set(added.flatMap(({ pack }) => (pack ? [keyOf(pack)] : [])));
  const kept = base.filter(({ pack }) => !pack || !replaced.has(keyOf(pack)));
  const readings = [...kept, ...added];
  const packs = readings.flatMap(({ pack }) => pack ?? []);
  const unsound = new Set(readings.flatMap(({ pack, region }) => (pack ? [] : (region ?? []))));
  const problems = [...readings.flatMap((reading) => reading.problems), ...versionProblems(packs, unsound)];
  return problems.length > 0 ? { problems } : { packs };
}

const keyOf = (pack: Pack): string => `${pack.region} ${pack.from}`;

function readPack(file: PackFile): Reading {
  const { entries, flaws } = readDocument(file.text);
  const problems = flaws.map(({ line, text }) => `${file.name}:${line}: ${text}`);
  const isReadable = entries.length > 0 || flaws.length === 0;
  const header = readHeader(file, isReadable ? entries : null, problems);
  const values = new Map<ParameterName, ParameterValue>();
  for (const entry of entries) {
    if (isParameterName(entry.name)) {
      const value = readEntry<ParameterValue>(file, entry, PARAMETERS[entry.name].kind, problems);
      if (value !== undefined) values.set(entry.name, value);
    } else if (!Object.hasOwn(HEADER, entry.name)) {
      const meant = nearest(entry.name, KNOWN_NAMES);
      const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
      problems.push(
        `${file.name}:${entry.line}: ${shorten(entry.name)}: expected the name of a parameter; there is none of this name${hint}`,
      );
    }
  }
  const { region, from, to, adopts } = header;
  if (region === undefined || from === undefined || to === undefined) return { pack: undefined, region, problems };
  return { pack: { file: file.name, region, from, to, adopts: adopts ?? null, values }, region, problems };
}

/** Reads the header; what is missing or ill-written is undefined. `entries` is null where nothing of the file could be read. */
function readHeader(file: PackFile, entries: readonly Entry[] | null, problems: string[]) {
  const read = <T>(name: HeaderName, kind: Kind<T>): T | undefined => {
    const entry = entries?.find((candidate) => candidate.name === name);
    if (entry) return readEntry(file, entry, kind, problems);
    if (entries && name !== 'extends') problems.push(`${file.name}: ${name}: expected ${kind.expected}; it is missing`);
    return undefined;
  };
  const region = read('regionCode', HEADER.regionCode.kind);
  const from = read('effectiveFrom', HEADER.effectiveFrom.kind);
  const to = read('effectiveTo', HEADER.effectiveTo.kind);
  const adopts = read('extends', HEADER.extends.kind);
  if (!from || !to || from <= to) return { region, from, to, adopts };
  problems.push(`${file.name}: effectiveTo: expected ${from} (effectiveFrom) or later; found ${to}`);
  return { region, from, to: undefined, adopts };
}

function readEntry<T>(file: PackFile, entry: Entry, kind: Kind<T>, problems: string[]): T | undefined {
  const value = kind.read(entry.raw);
  if (value === undefined) {
    problems.push(`${file.name}:${entry.line}: ${entry.name}: expected ${kind.expected}; found ${entry.source}`);
  }
  return value;
}
