/** SQL that makes a role where there is none. Roles belong to the whole server: another database may have made them already, at this very moment too. */
export const role = (name: string) => `do $$ begin
    if not exists (select from pg_roles where rolname = '${name}') then create role ${name} nologin; end if;
  exception when duplicate_object or unique_violation then null; end $$`;

/** SQL that lets the migrating user become a role. */
export const member = (name: string) => `do $$ begin
    if not pg_has_role(current_user, '${name}', 'SET') then execute format('grant ${name} to %I', current_user); end if;
  exception when unique_violation then null; end $$`;
