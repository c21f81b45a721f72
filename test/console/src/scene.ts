import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningSystem, startSystem } from '@repo/cli/system';
import { topicsOf } from '@repo/contracts';
import { waitFor } from '@repo/embedded';
import { Sender } from '@repo/messaging';
import { busyDay, familyOf, type Message, PEOPLE } from './family.ts';

export interface SceneOptions {
  readonly databaseUrl: string | undefined;
  readonly brokers: string | undefined;
  readonly topicPrefix: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The whole system, and a family that has been to the doctor. */
export class Scene implements AsyncDisposable {
  readonly http: string;
  readonly family: ReturnType<typeof familyOf>;
  readonly #system: RunningSystem;
  readonly #sender: Sender;
  readonly #prefix: string;
  readonly #dataDir: string;

  private constructor(system: RunningSystem, sender: Sender, prefix: string, dataDir: string) {
    this.http = system.http;
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
      logLevel: 'warn',
      environment: { PATH: process.env.PATH, ...environment },
    } as const;
    const system = await startSystem({ settings, log: () => undefined });
    const sender = await Sender.open({ brokers: system.kafka.split(','), clientId: 'console-test' });
    return new Scene(system, sender, topicPrefix, dataDir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sender[Symbol.asyncDispose]();
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
