import { createReadStream, statSync } from 'node:fs';
import { type DecodedMembers, type DecodeLimits, decodeMembers, readJson } from '@repo/contracts';
import { Ledger, type LoadableEvent, loadMembers } from '@repo/ledger';
import { partitionForKey } from '@repo/messaging';
import type { Policies } from '@repo/policy';
import { contentHash } from '@repo/shard-worker';
import { type Format, type Line, readLines, textsOf } from './lines.ts';
import { type BadLine, type StagedLine, Staging } from './staging.ts';

export interface LoadFileOptions {
  /** The owner's URL. */
  readonly databaseUrl: string;
  readonly file: string;
  readonly format: Format;
  /** Partition count of the members topic. */
  readonly partitions: number;
  readonly policies: Policies;
  readonly limits: DecodeLimits;
  /** Only reads and checks, and enters nothing. */
  readonly checkOnly: boolean;
  readonly onProgress?: (share: number, doing: string) => void;
}

export interface Loaded {
  readonly lines: number;
  /** In order of lines. Where there are any, nothing was entered. */
  readonly bad: readonly BadLine[];
  readonly entered: number;
  /** Lines whose event had been entered before, by this file or through the topic. */
  readonly repeated: number;
}

const PIECE = 4_000;
const READING = 0.4;

/**
 * Enters the accounts and bindings of a file without the topic, by the decoder, rules and identities that their messages would meet. First
 * reads and checks every line, and enters the file only where no line is bad, in transactions of 4,000. Events that exist already are
 * skipped, so a load that was interrupted is continued by running it again.
 */
export async function loadFile(options: LoadFileOptions): Promise<Loaded> {
  const { databaseUrl, file, checkOnly, policies, partitions, limits, onProgress = () => {} } = options;
  await using staging = await Staging.open(databaseUrl);
  const { lines, bad } = await stage(options, staging);
  bad.push(...(await staging.problems()));
  bad.sort((a, b) => a.line - b.line);
  const fresh = await staging.countNew();
  if (bad.length > 0 || checkOnly) return { lines, bad, entered: 0, repeated: 0 };
  const ledger = await Ledger.open({ url: databaseUrl, role: 'gongji_worker', name: 'gongji-load' });
  try {
    const entered = await loadMembers(ledger, eventsOf(staging, limits), {
      policyOf: policies.policyAt,
      partitionOf: (personNo) => partitionForKey(personNo, partitions),
      onProgress: (count) => onProgress(READING + ((1 - READING) * count) / Math.max(1, fresh), `entering ${file}`),
    });
    return { lines, bad, entered, repeated: lines - entered };
  } finally {
    await ledger.close();
  }
}

/** Reads the whole file into the staging table. Answers how many lines there are, and those that cannot be read. */
async function stage({ file, format, limits, onProgress = () => {} }: LoadFileOptions, staging: Staging) {
  const bytes = Math.max(1, statSync(file).size);
  const stream = createReadStream(file);
  const bad: BadLine[] = [];
  let lines = 0;
  let staged: StagedLine[] = [];
  for await (const line of readLines(textsOf(stream), format)) {
    lines += 1;
    const read = decodeLine(line, limits);
    if ('problem' in read) bad.push(read);
    else staged.push(read);
    if (staged.length < PIECE) continue;
    await staging.add(staged);
    staged = [];
    onProgress((READING * stream.bytesRead) / bytes, `reading ${file}`);
  }
  if (staged.length > 0) await staging.add(staged);
  await staging.finish();
  return { lines, bad };
}

const keyOf = (type: string, fields: Readonly<Record<string, unknown>>): unknown =>
  type === 'account.opened' ? fields.psn_no : fields.payer;

function decode(type: string, key: string, json: string, limits: DecodeLimits): DecodedMembers {
  const headers = [['ce_type', Buffer.from(type)]] as const;
  const message = { key: Buffer.from(key), value: Buffer.from(json), headers, timestampMs: Date.now() };
  return decodeMembers(message, limits);
}

function decodeLine(given: Line, limits: DecodeLimits): StagedLine | BadLine {
  const { line } = given;
  if ('problem' in given) return given;
  const { type, fields, json } = given;
  const key = keyOf(type, fields);
  const decoded = decode(type, typeof key === 'string' ? key : '', json, limits);
  if (decoded.kind === 'BAD') {
    const problems = decoded.issues.map(({ path, problem }) => (path === '' ? problem : `${path}: ${problem}`));
    return { line, problem: problems.join('; ') || decoded.code };
  }
  const subject = String(type === 'account.opened' ? fields.psn_no : fields.binding_id);
  const { identity, content, personNo } = decoded;
  const kept = 'certno' in fields ? withoutCertificate(json) : json;
  return { line, type, identity, contentHash: contentHash(content), subject, key: personNo, json: kept };
}

/** A certificate number is not even staged. Amounts become texts, which say the same. */
const withoutCertificate = (json: string): string =>
  JSON.stringify({ ...readJson(Buffer.from(json)), certno: undefined });

async function* eventsOf(staging: Staging, limits: DecodeLimits): AsyncGenerator<LoadableEvent, void> {
  for await (const piece of staging.pieces(PIECE)) {
    for (const { type, key, json } of piece) {
      const decoded = decode(type, key, json, limits);
      if (decoded.kind !== 'MEMBER') throw new Error('a staged line is an event');
      yield { event: decoded.event, identity: decoded.identity, contentHash: contentHash(decoded.content) };
    }
  }
}
