import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningSystem, startSystem } from '@repo/cli/system';
import { topicsOf } from '@repo/contracts';
import { waitFor } from '@repo/embedded';
import { Ledger } from '@repo/ledger';
import { Sender } from '@repo/messaging';
import { brokenClaims, busyDay, creditsTooEarly, familyOf, type Message, PEOPLE } from './family.ts';

export interface SceneOptions {
  readonly databaseUrl: string | undefined;
  readonly brokers: string | undefined;
  readonly topicPrefix: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What these events write the database refuses: a defect, since that is no condition that passes. */
const BROKEN = [
  'create table broken (event_id text collate "C" primary key)',
  'grant select on broken to gongji_worker',
  `create function broken() returns trigger language plpgsql as $$ begin
     if exists (select from broken where event_id = new.event_id) then raise 'broken'; end if;
     return new; end $$`,
  'create trigger broken before insert on event_id for each row execute function broken()',
];

/** The whole system, and a family that has been to the doctor. */
export class Scene implements AsyncDisposable {
  readonly http: string;
  readonly family: ReturnType<typeof familyOf>;
  readonly #system: RunningSystem;
  readonly #sender: Sender;
  readonly #owner: Ledger;
  readonly #prefix: string;
  readonly #dataDir: string;

  private constructor(
    system: RunningSystem,
    { sender, owner, prefix, dataDir }: { sender: Sender; owner: Ledger; prefix: string; dataDir: string },
  ) {
    this.http = system.http;
    this.#owner = owner;
    this.family = familyOf(Date.now());
    this.#system = system;
    this.#sender = sender;
    this.#prefix = prefix;
    this.#dataDir = dataDir;
  }

  static async open({ databaseUrl, brokers, topicPrefix, environment = {} }: SceneOptions): Promise<Scene> {
    const dataDir = mkdtempSync(join(tmpdir(), 'gongji-console-'));
    const settings = {
      kafkaBrokers: brokers?.split(','),
      databaseUrl,
      servers: 'embedded',
      kafkaPort: undefined,
      postgresPort: undefined,
      httpPort: 0,
      dataDir,
      policyDir: undefined,
      topicPrefix,
      partitions: 2,
      futureDaysMax: 400,
      logLevel: 'warn',
      environment: { PATH: process.env.PATH, ...environment },
    } as const;
    const system = await startSystem({ settings, log: () => undefined });
    const sender = await Sender.open({ brokers: system.kafka.split(','), clientId: 'console-test' });
    const owner = await Ledger.open({ url: system.postgresUrl, name: 'console-test' });
    return new Scene(system, { sender, owner, prefix: topicPrefix, dataDir });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sender[Symbol.asyncDispose]();
    await this.#owner.close();
    await this.#system.stop();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  async send(messages: readonly Message[]): Promise<void> {
    const { claims, members } = topicsOf(this.#prefix);
    const isClaims = ({ type }: Message) => /^(claim|premium)\./.test(type);
    for (const [topic, wanted] of [
      [members, messages.filter((message) => !isClaims(message))],
      [claims, messages.filter(isClaims)],
    ] as const) {
      await this.#sender.sendAll(
        topic,
        wanted.map(({ type, value }) => ({
          key: type === 'arrears.check' ? null : String(value.payer ?? value.psn_no),
          value: JSON.stringify(value),
          headers: [['ce_type', Buffer.from(type)]],
        })),
      );
    }
  }

  async read<T>(path: string): Promise<T> {
    const answer = await fetch(new URL(path, this.http));
    if (!answer.ok) throw new Error(`${path} answers ${answer.status}`);
    return (await answer.json()) as T;
  }

  /** Waits until a read answers what is wanted. */
  async holds<T>(path: string, wanted: (answer: T) => boolean): Promise<void> {
    const probe = () => this.read<T>(path).then(wanted, () => false);
    if (!(await waitFor(probe, 60_000, 100)))
      throw new Error(`${path} has not answered what is wanted within a minute`);
  }

  /** The family's story, each part known before the next is sent, as the two input topics are not ordered with each other. */
  async play(): Promise<void> {
    const { members, claims, missed, later, closing, afterClosing } = this.family;
    const settled = (id: string) => this.holds(`/v1/settlements/${id}`, () => true);
    await this.send(members);
    await this.holds<{ bindings: object[] }>(
      `/v1/bindings?payer=${PEOPLE.aunt}`,
      ({ bindings }) => bindings.length === 2,
    );
    await this.holds<{ bindings: object[] }>(
      `/v1/bindings?payer=${PEOPLE.father}`,
      ({ bindings }) => bindings.length === 3,
    );
    await this.send(claims);
    for (const { value } of claims) await settled(String(value.claim_id));
    await this.send([missed]);
    await this.holds<{ in_arrears: boolean }>(`/v1/accounts/${PEOPLE.mother}`, (account) => account.in_arrears);
    await this.send(later);
    await this.holds('/v1/refunds/R-1', () => true);
    await settled('C-2013');
    await this.send([closing]);
    await this.holds<{ status: string }>(`/v1/accounts/${PEOPLE.aunt}`, ({ status }) => status === 'CLOSED');
    await this.send([afterClosing]);
    await this.holds<{ held: object[] }>('/v1/held-refunds', ({ held }) => held.length > 0);
    await this.send([{ type: 'arrears.check', value: { check_id: 'nightly', on: this.family.today } }]);
    await this.holds<{ checks: { finished: number }[] }>(
      '/v1/arrears-checks',
      ({ checks }) => checks[0]?.finished === 2,
    );
  }

  /** Ten credits of people nobody knows yet, and two people on whose claims a worker fails. */
  async goWrong(): Promise<void> {
    for (const statement of BROKEN) await this.#owner.rows(statement);
    const claims = brokenClaims(Date.now());
    await this.#owner.rows('insert into broken select unnest($1::text[])', [['claim:C-broken-1', 'claim:C-broken-2']]);
    await this.send([...creditsTooEarly(Date.now()), ...claims]);
    await this.holds<{ dead_letters: object[] }>('/v1/dead-letters', ({ dead_letters: dead }) => dead.length === 10);
    await this.holds<{ quarantined: { messages: number }[] }>(
      '/v1/quarantine',
      ({ quarantined }) => quarantined.reduce((sum, { messages }) => sum + messages, 0) === claims.length,
    );
  }

  /** The worker fails on the claims of this id no more. */
  async mend(claimId: string): Promise<void> {
    await this.#owner.rows('delete from broken where event_id = $1', [`claim:${claimId}`]);
  }

  /** As of a claim that was taken before places were kept. */
  async forgetPlace(claimId: string): Promise<void> {
    await this.#owner.rows('update event_id set log_offset = null where event_id = $1', [`claim:${claimId}`]);
  }

  /** Many visits of one day, for the board. */
  async busyDay(people: number): Promise<void> {
    const { members, claims } = busyDay(Date.now(), people);
    await this.send(members);
    const last = members.at(-1)?.value;
    await this.holds<{ bindings: object[] }>(
      `/v1/bindings?payer=${String(last?.payer)}`,
      ({ bindings }) => bindings.length > 0,
    );
    await this.send(claims);
    await this.holds(`/v1/settlements/${String(claims.at(-1)?.value.claim_id)}`, () => true);
  }
}
