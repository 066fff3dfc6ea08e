/** What an index is needed for as a place outside the archive: signed checkpoints, kept beside its documents. */

/** `line` as it was signed, without its end; `hash` is its SHA-256 in hex digits, and the id that it is stored under. */
export type CheckpointLine = { hash: string; writer: string; number: number; timeMs: number; line: string };

/** Append only: what is there is never changed, and what is added twice is there once. */
export type IndexCheckpoints = {
  /** @throws SkilltapeError `index_failed` */
  add(checkpoint: CheckpointLine): Promise<void>;
  close(): Promise<void>;
};

/** Lines by writer and number. */
export type StoredCheckpoints = {
  /** @throws SkilltapeError `index_failed` */
  lines(): AsyncIterable<string>;
  close(): Promise<void>;
};
