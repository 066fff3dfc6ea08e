/** The files of the fake, uploaded or produced by code execution, with their bytes. */
import { BoundedMap } from '../storage/bounded-map.ts';
import { idSeries, plusSeconds, type SteppingClock } from '../storage/foretold.ts';
import { writeZip } from './zip.ts';

export type NewFile = {
  readonly filename: string;
  readonly mimeType: string;
  readonly bytes: Buffer;
  readonly expiresInSeconds?: number;
};

export type StoredFile = { readonly metadata: FileMetadata; readonly bytes: Buffer };

/** As GET /v1/files/{id} shows it. */
export type FileMetadata = {
  readonly id: string;
  readonly type: 'file';
  readonly filename: string;
  readonly mime_type: string;
  readonly size_bytes: number;
  readonly created_at: string;
  readonly downloadable: boolean;
  readonly expires_at: string | null;
};

const FILES_MAX = 1_000;
const BYTES_MAX = 256 * 1024 * 1024;
const SPREADSHEET = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
/** Size of the file that the skills fixture of test/fixtures/answers names. */
const FIXTURE_BYTES = 18_231;

export class FileStore {
  readonly #files = new BoundedMap<StoredFile>({
    countMax: FILES_MAX,
    bytesMax: BYTES_MAX,
    bytesOf: ({ bytes }) => bytes.length,
  });
  readonly #nextId = idSeries('file_011');
  readonly #clock: SteppingClock;

  constructor(clock: SteppingClock) {
    this.#clock = clock;
    this.#keep('file_011FixtureOutputXlsx', { filename: 'q3.xlsx', mimeType: SPREADSHEET, bytes: fixtureWorkbook() });
  }

  add(file: NewFile): FileMetadata {
    return this.#keep(this.#nextId(), file);
  }

  get(id: string): StoredFile | undefined {
    return this.#files.get(id);
  }

  delete(id: string): StoredFile | undefined {
    return this.#files.delete(id);
  }

  list(): FileMetadata[] {
    return this.#files.newestFirst().map(({ metadata }) => metadata);
  }

  #keep(id: string, { filename, mimeType, bytes, expiresInSeconds }: NewFile): FileMetadata {
    const createdAt = this.#clock.now();
    const metadata: FileMetadata = {
      id,
      type: 'file',
      filename,
      mime_type: mimeType,
      size_bytes: bytes.length,
      created_at: createdAt,
      downloadable: !filename.includes('[fake: undownloadable]'),
      expires_at: expiresInSeconds === undefined ? null : plusSeconds(createdAt, expiresInSeconds),
    };
    this.#files.set(id, { metadata, bytes });
    return metadata;
  }
}

/** An archive of exactly the size that the fixture's metadata gives. */
function fixtureWorkbook(): Buffer {
  const name = 'xl/workbook.xml';
  const frameBytes = writeZip([{ name, bytes: Buffer.alloc(0) }]).length;
  return writeZip([{ name, bytes: Buffer.alloc(FIXTURE_BYTES - frameBytes, '<!-- fake workbook -->\n') }]);
}
