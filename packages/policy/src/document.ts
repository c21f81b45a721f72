import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import type { Raw } from './kinds.ts';

/** One `name: value` of a policy file. `source` is the value as written, shortened, for messages. */
export interface Entry {
  readonly name: string;
  readonly line: number;
  readonly raw: Raw;
  readonly source: string;
}

/** Something wrong with a document, at a line counted from 1. */
export interface Flaw {
  readonly line: number;
  readonly text: string;
}

/** The largest pack we ship has 2 KiB. Of longer texts the parser needs time out of proportion: for a MiB of commas ten seconds. */
export const FILE_BYTES_MAX = 65_536;
/** One syntax error makes the parser see many; past the first few they only echo. */
const SYNTAX_ERRORS_MAX = 5;
const SYNTAX_ERROR_LENGTH_MAX = 200;
const SOURCE_LENGTH_MAX = 60;
/** A map of lists is as deep as a parameter goes; deeper is no value of any, however deep it goes on. */
const DEPTH_MAX = 4;

/**
 * Reads YAML, of which JSON is a part, without giving any scalar a type (YAML's failsafe schema): the parameter it belongs
 * to decides what a text means. Tags and aliases are refused; a policy says what it says where it stands.
 */
export function readDocument(text: string): { readonly entries: readonly Entry[]; readonly flaws: readonly Flaw[] } {
  const isTooLong = text.length > FILE_BYTES_MAX;
  if (isTooLong) return { entries: [], flaws: [{ line: 1, text: `expected at most ${FILE_BYTES_MAX} characters` }] };
  const lines = new LineCounter();
  const document = parseDocument(text, {
    schema: 'failsafe',
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
  });
  const syntax = syntaxFlaws(document, lines);
  if (syntax.length > 0) return { entries: [], flaws: syntax };
  if (!isMap(document.contents)) return { entries: [], flaws: [{ line: 1, text: 'expected a map of parameters' }] };

  const flaws: Flaw[] = [];
  const entries = pairsOf(document.contents, flaws, lines).map(([name, value, offset]) => ({
    name,
    line: lines.linePos(offset).line,
    raw: toRaw(value, flaws, lines),
    source: sourceOf(value, text),
  }));
  return { entries, flaws };
}

function syntaxFlaws(document: Document.Parsed, lines: LineCounter): Flaw[] {
  return [...document.errors, ...document.warnings].slice(0, SYNTAX_ERRORS_MAX).map((error) => ({
    line: lines.linePos(error.pos[0]).line,
    text: `expected YAML or JSON; found: ${shorten(error.message, SYNTAX_ERROR_LENGTH_MAX)}`,
  }));
}

/** The entries of a map whose names are texts, each once; a second of the same name is a flaw, and the first stands. */
function pairsOf(map: YAMLMap<unknown, unknown>, flaws: Flaw[], lines: LineCounter): [string, Node | null, number][] {
  const pairs = new Map<string, [string, Node | null, number]>();
  for (const { key, value } of map.items) {
    const offset = (key as Node | null)?.range?.[0] ?? 0;
    const line = lines.linePos(offset).line;
    if (!isScalar(key)) flaws.push({ line, text: 'expected a name before the colon' });
    else if (pairs.has(String(key.value)))
      flaws.push({ line, text: `${shorten(String(key.value))}: expected once; found again` });
    else pairs.set(String(key.value), [String(key.value), value as Node | null, offset]);
  }
  return [...pairs.values()];
}

function toRaw(node: unknown, flaws: Flaw[], lines: LineCounter, depth = 1): Raw {
  if (depth > DEPTH_MAX) return { kind: 'unsupported' };
  if (node === null) return { kind: 'scalar', text: '', plain: true };
  if (isScalar(node)) return { kind: 'scalar', text: String(node.value), plain: node.type === 'PLAIN' };
  if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => toRaw(item, flaws, lines, depth + 1)) };
  if (!isMap(node)) return { kind: 'unsupported' };
  const pairs = pairsOf(node, flaws, lines);
  return { kind: 'map', entries: new Map(pairs.map(([name, value]) => [name, toRaw(value, flaws, lines, depth + 1)])) };
}

function sourceOf(node: Node | null, text: string): string {
  const written = text.slice(...(node?.range?.slice(0, 2) ?? [0, 0]));
  return written === '' ? 'nothing' : shorten(written);
}

/** Part of a file as a problem may show it: on one line, free of what a terminal would obey, and not the whole file. */
export function shorten(text: string, lengthMax = SOURCE_LENGTH_MAX): string {
  const shown = text
    .slice(0, lengthMax * 2)
    .toWellFormed()
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ');
  return shown.length > lengthMax ? `${shown.slice(0, lengthMax).toWellFormed()}…` : shown;
}
