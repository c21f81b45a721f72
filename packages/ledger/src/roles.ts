/**
 * SQL that creates a role where it is missing. Roles belong to the whole server, so another database may have created it, even at this
 * moment.
 */
export const role = (name: string) => `do $$ begin
    if not exists (select from pg_roles where rolname = '${name}') then create role ${name} nologin; end if;
  exception when duplicate_object or unique_violation then null; end $$`;

/** SQL that makes the migrating user a member of a role. */
export const member = (name: string) => `do $$ begin
    if not pg_has_role(current_user, '${name}', 'SET') then execute format('grant ${name} to %I', current_user); end if;
  exception when unique_violation then null; end $$`;
