/**
 * SQL by which rows of a table only come (inv. 8): triggers refuse every change, also `insert or replace`, which deletes
 * without firing a delete trigger. They do not stop someone who may write the file.
 */
export function onlyGrows({ table, key, refusal }: { table: string; key: readonly string[]; refusal: string }): string {
  const isSame = key.map((column) => `${column} = new.${column}`).join(' and ');
  const refuse = `begin select raise(abort, '${refusal}'); end;`;
  return `
create trigger if not exists ${table}_no_update before update on ${table}
  ${refuse}
create trigger if not exists ${table}_no_delete before delete on ${table}
  ${refuse}
create trigger if not exists ${table}_no_replace before insert on ${table}
  when exists (select 1 from ${table} where ${isSame})
  ${refuse}
`;
}
