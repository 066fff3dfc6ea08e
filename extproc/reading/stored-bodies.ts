import { SkilltapeError } from '../errors.ts';
import { storedChunk } from '../exchange/request-body.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { type JournalReader, openJournalReader } from '../journal/reader.ts';
import { PassingBytes } from '../large-work.ts';
import type { JournalPlace, QuestionBody } from './protocol.ts';

/** Reads the stored parts of bodies from the journal's files, in the thread that needs them. */
export class StoredBodies {
  readonly #reader: JournalReader | null;
  readonly #passing = new PassingBytes();

  constructor(journal: JournalPlace | null) {
    this.#reader = journal === null ? null : openJournalReader({ ...journal, fileSystem: nodeFileSystem });
  }

  /** Fills in the end of a body. Throws SkilltapeError `journal_corrupt` when that is not what was written. */
  async fill({ bytes, stored }: QuestionBody): Promise<void> {
    if (stored === null) return;
    const { exchangeId, parts } = stored;
    let at = bytes.length - parts.reduce((sum, part) => sum + part.bytes, 0);
    for (const part of parts) {
      bytes.set(storedChunk(await this.#read(part.place), part, exchangeId), at);
      at += part.bytes;
      this.#passing.count(2 * part.bytes);
    }
  }

  async #read(place: { segment: number; offset: number }): Promise<Uint8Array> {
    if (this.#reader === null) throw new SkilltapeError('internal', 'this thread was given no journal');
    try {
      return await this.#reader.readAt(place);
    } catch (thrown) {
      const { message } = SkilltapeError.from(thrown);
      throw new SkilltapeError('journal_corrupt', message, { cause: thrown });
    }
  }
}
