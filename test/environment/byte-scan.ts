import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Where a value was found, and in which of its forms. */
export type Sighting = { place: string; form: string };

/** The forms in which a value may lie about: as it is, and as the usual encodings write it. */
export function formsOf(value: string): Map<string, Buffer> {
  const bytes = Buffer.from(value);
  const forms = new Map<string, Buffer>([
    ['plain', bytes],
    ['UTF-16', Buffer.from(value, 'utf16le')],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['HEX', Buffer.from(bytes.toString('hex').toUpperCase())],
    ['URL-encoded', Buffer.from(encodeURIComponent(value))],
    ['form-encoded', Buffer.from(new URLSearchParams([['', value]]).toString().slice(1))],
    ['percent for each character', Buffer.from([...bytes].map((byte) => `%${byte.toString(16)}`).join(''))],
    ['zero width', Buffer.from([...value].join('\u200b'))],
    ['zero width escaped', Buffer.from([...value].join('\\u200b'))],
    ['JSON-escaped', Buffer.from(JSON.stringify(value).slice(1, -1))],
    ['JSON-escaped twice', Buffer.from(JSON.stringify(JSON.stringify(value).slice(1, -1)).slice(1, -1))],
  ]);
  // Base64 writes the same bytes in three ways, by where they stand; the edges depend on the neighbours.
  for (const shift of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    const whole = shifted.subarray(0, shifted.length - (shifted.length % 3)).toString('base64');
    const inner = whole.slice(shift === 0 ? 0 : 4);
    forms.set(`base64 at ${shift}`, Buffer.from(inner));
    forms.set(`base64url at ${shift}`, Buffer.from(inner.replaceAll('+', '-').replaceAll('/', '_')));
  }
  return forms;
}

export function sightings(value: string, haystacks: ReadonlyMap<string, Buffer>): Sighting[] {
  const forms = [...formsOf(value)];
  return [...haystacks].flatMap(([place, bytes]) =>
    forms.filter(([, form]) => bytes.includes(form)).map(([form]) => ({ place, form })),
  );
}

/** Every file below the directory, but for those that `exclude` names; paths are relative to it. */
export function filesUnder(directory: string, exclude: RegExp): Map<string, Buffer> {
  const files = globSync('**/*', { cwd: directory }).filter(
    (file) => !exclude.test(file) && statSync(join(directory, file)).isFile(),
  );
  return new Map(files.map((file) => [file, readFileSync(join(directory, file))]));
}

/** The values of every table, one haystack each: in the file a long value may be scattered over pages. */
export function tablesOf(databaseFile: string): Map<string, Buffer> {
  const database = new DatabaseSync(databaseFile, { readOnly: true });
  try {
    const tables = database.prepare("select name from sqlite_master where type = 'table'").all();
    return new Map(
      tables.map(({ name }) => {
        const rows = database.prepare(`select * from "${name}"`).all();
        const values = rows.flatMap((row) => Object.values(row).map(bytesOf));
        return [`${databaseFile}: ${name}`, Buffer.concat(values.flatMap((value) => [value, Buffer.from('\n')]))];
      }),
    );
  } finally {
    database.close();
  }
}

function bytesOf(value: unknown): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value));
}
