import { existsSync } from 'node:fs';
import type { IndexedPerson } from '../retention.ts';
import { openPrivateDatabase, orIndexFailed } from './database.ts';

/** Takes the documents of one person off the list of what the index refused; returns how many. Throws `index_failed`. */
export function removeRejectsOf(file: string, { issuer, ids }: IndexedPerson, before: Date): number {
  if (!existsSync(file)) return 0;
  return orIndexFailed('take a person off the list of refused documents', () => {
    const database = openPrivateDatabase(file, 'FULL');
    try {
      database.exec('pragma secure_delete = on');
      const hasList = database.prepare("select 1 from sqlite_schema where name = 'rejects'").get() !== undefined;
      if (!hasList) return 0;
      const { changes } = database
        .prepare(
          `delete from rejects where document ->> '$.user.domain' = ? and time < ?
             and document ->> '$.user.id' in (${ids.map(() => '?').join(', ')})`,
        )
        .run(issuer, before.toISOString(), ...ids);
      return Number(changes);
    } finally {
      database.close();
    }
  });
}
