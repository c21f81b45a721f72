import { Migration } from '@mikro-orm/migrations';

/**
 * A refund that waited for its claim took its id when it came, without an answer. Its answer is now noted there when it is given, once: until
 * now nobody found it by the refund's id, and the audit took it for an answer to nothing. What was answered so before stays as it is.
 */
export class Migration20261206LateAnswers extends Migration {
  override up(): void {
    this.addSql('grant update (seq, month) on event_id to gongji_worker');
    this.addSql(`
      create function event_id_answered_once() returns trigger language plpgsql as $$ begin
        if pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid), 'MEMBER') then return new; end if;
        raise 'the answer of an event is noted once' using errcode = 'integrity_constraint_violation';
      end $$`);
    this.addSql(`
      create trigger tr_event_id_answered_once before update on event_id
        for each row when (old.seq is not null) execute function event_id_answered_once()`);
  }
}
