import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { CheckpointLine, IndexCheckpoints, StoredCheckpoints } from '../checkpoints.ts';
import { openForReading, openPrivateDatabase, orIndexFailed } from './database.ts';
import { onlyGrows } from './only-grows.ts';

/** Beside the index, so that one that is lost or made anew takes them not along. */
function checkpointsFileOf(dataDirectory: string): string {
  return join(dataDirectory, 'checkpoints.sqlite');
}

const schema = `
  create table if not exists checkpoints (
    hash text primary key, writer text not null, number integer not null, time_ms integer not null, line text not null
  ) strict, without rowid;
  create index if not exists checkpoints_in_order on checkpoints (writer, number, hash);
  ${onlyGrows({ table: 'checkpoints', key: ['hash'], refusal: 'a checkpoint does not change' })}
`;

/** Opened with the first checkpoint: a disk that is full must not keep shipping from its start. */
export class SqliteCheckpoints implements IndexCheckpoints {
  readonly #file: string;
  #database: DatabaseSync | undefined;

  constructor(dataDirectory: string) {
    this.#file = checkpointsFileOf(dataDirectory);
  }

  async add({ hash, writer, number, timeMs, line }: CheckpointLine): Promise<void> {
    orIndexFailed('keep a checkpoint', () => {
      this.#database ??= opened(this.#file);
      this.#database
        .prepare(
          `insert into checkpoints (hash, writer, number, time_ms, line) select $hash, $writer, $number, $timeMs, $line
           where not exists (select 1 from checkpoints where hash = $hash)`,
        )
        .run({ $hash: hash, $writer: writer, $number: number, $timeMs: timeMs, $line: line });
    });
  }

  async close(): Promise<void> {
    this.#database?.close();
    this.#database = undefined;
  }
}

function opened(file: string): DatabaseSync {
  const database = openPrivateDatabase(file, 'FULL');
  try {
    database.exec(schema);
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/** Throws SkilltapeError `index_failed`, also where none were ever kept. */
export function openSqliteCheckpoints(dataDirectory: string): StoredCheckpoints {
  const database = orIndexFailed('open the checkpoints', () => openForReading(checkpointsFileOf(dataDirectory)));
  return {
    async *lines() {
      const select = database.prepare('select line from checkpoints order by writer, number, hash');
      for (const { line } of select.iterate()) yield String(line);
    },
    close: async () => database.close(),
  };
}
