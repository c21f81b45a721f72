import { Migration } from '@mikro-orm/migrations';

/**
 * Messages that wait because the worker failed on one of their key, and what operators ordered about them. An older worker runs on: it
 * neither sets `shard.quarantined` nor looks at it, so a key that a newer one has quarantined is held again once the newer has the shard.
 */
export class Migration20261124Quarantine extends Migration {
  override up(): void {
    // True while messages of the shard are held: it rides along with the row that every batch locks, so looking costs nothing.
    this.addSql('alter table shard add quarantined boolean not null default false');

    // As they came, in the order of the log. A key is quarantined as long as a message of it is here. failure: what the worker met.
    this.addSql(`create table quarantined_message (
      partition int not null,
      topic text collate "C" not null,
      log_offset bigint not null,
      key bytea not null,
      value bytea,
      headers jsonb not null,
      record_ms bigint not null,
      failure text,
      held_at timestamptz not null default now(),
      constraint pk_quarantined_message primary key (partition, topic, log_offset)
    )`);
    // By the key's hash, since a key may be longer than an index takes.
    this.addSql(
      `create index ix_quarantined_message_key on quarantined_message (partition, topic, sha256(key), log_offset)`,
    );

    // What operators ordered, and what became of it: kept, so it names no person. log_offset: the message to drop, or the next to release.
    this.addSql(`create table quarantine_order (
      partition int not null,
      order_id bigint generated always as identity,
      topic text collate "C" not null,
      action text not null,
      log_offset bigint not null,
      code text,
      ordered_by text not null,
      reason text not null,
      ordered_at timestamptz not null default now(),
      messages bigint not null default 0,
      ended_at timestamptz,
      result text,
      constraint pk_quarantine_order primary key (partition, order_id),
      constraint ck_quarantine_order_action check (action in ('RELEASE', 'DROP')),
      constraint ck_quarantine_order_code check ((action = 'DROP') = (code is not null)),
      constraint ck_quarantine_order_result check (result in ('DONE', 'FAILED', 'GONE')),
      constraint ck_quarantine_order_ended check ((ended_at is null) = (result is null))
    )`);
    this.addSql(
      'create index ix_quarantine_order_open on quarantine_order (partition, topic, order_id) where ended_at is null',
    );

    // Payers whom an arrears check passed over because their messages are held: they are checked when nothing of theirs is.
    this.addSql(`create table arrears_left (
      partition int not null,
      psn_no text collate "C" not null,
      check_id text collate "C" not null,
      on_day date not null,
      constraint pk_arrears_left primary key (partition, psn_no, check_id)
    )`);

    this.addSql('grant select, insert, delete, update (failure) on quarantined_message to gongji_worker');
    this.addSql('grant select, update (log_offset, messages, ended_at, result) on quarantine_order to gongji_worker');
    this.addSql('grant select, insert, delete on arrears_left to gongji_worker');
    // A reader may count what is held, and not read it.
    this.addSql(
      'grant select (partition, topic, log_offset, key, failure, held_at) on quarantined_message to gongji_reader',
    );
    this.addSql('grant select on quarantine_order, arrears_left to gongji_reader');
  }
}
