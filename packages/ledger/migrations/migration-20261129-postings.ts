import { Migration } from '@mikro-orm/migrations';

/**
 * What a posting does besides moving money: no longer the facts of its account put together anew, nor a search for bindings that were
 * paused while it was empty. An older worker runs on unhindered: triggers keep both columns, whoever writes. Postings wait meanwhile.
 */
export class Migration20261129Postings extends Migration {
  override up(): void {
    // A generated column is worked out by every update that names any of its columns, and its definition read by every one that does not.
    this.addSql('alter table account alter column facts drop expression');
    this.addSql(`create function account_facts() returns trigger language plpgsql as $$ begin
      new.facts := ${FACTS};
      return new;
    end $$`);
    this.addSql(`create trigger tr_account_facts before insert or update of ${FACT_COLUMNS} on account
      for each row execute function account_facts()`);

    // True while any binding of this payer is paused for ZERO_BALANCE. Whoever writes a binding holds its payer's row.
    this.addSql('alter table account add column emptied boolean not null default false');
    this.addSql(`create function binding_emptied() returns trigger language plpgsql as $$ begin
      update account set emptied = exists (select from binding where payer = new.payer and held_zero_balance is not null)
      where psn_no = new.payer;
      return null;
    end $$`);
    this.addSql(`create trigger tr_binding_emptied_insert after insert on binding for each row
      when (new.held_zero_balance is not null) execute function binding_emptied()`);
    this.addSql(`create trigger tr_binding_emptied_update after update of held_zero_balance on binding for each row
      when (old.held_zero_balance is distinct from new.held_zero_balance) execute function binding_emptied()`);
    this.addSql(`update account set emptied = true
      where psn_no in (select payer from binding where held_zero_balance is not null)`);
  }
}

const text = (column: string) => `coalesce(new.${column}, '')`;
const yesNo = (column: string) => `case when new.${column} then 'y' else 'n' end`;
const dayNumber = (column: string) => `coalesce((new.${column} - date '1970-01-01')::text, '')`;

/** In the order in which a row is read (see rows.ts). */
const FACT_PARTS: readonly (readonly [column: string, sql: (column: string) => string])[] = [
  ['insutype', text],
  ['psn_type', text],
  ['employment', text],
  ['insu_admdvs', text],
  ['status', text],
  ['card_active', yesNo],
  ['employer_enabled', yesNo],
  ['wallet_open', yesNo],
  ['uninsured_since', dayNumber],
  ['arrears_since', dayNumber],
  ['spell_since', dayNumber],
  ['spell_start', dayNumber],
  ['recovered_on', dayNumber],
  ['as_of_period', text],
];
const FACT_COLUMNS = FACT_PARTS.map(([column]) => column);
const FACTS = FACT_PARTS.map(([column, sql]) => sql(column)).join(` || E'\\x1c' || `);
