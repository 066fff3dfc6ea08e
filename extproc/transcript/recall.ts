/** Kinds of things by which one exchange is found from another; a `request` goes by the keyed hash of its body. */
export type ThingKind =
  | 'message'
  | 'container'
  | 'file'
  | 'batch'
  | 'batch_request'
  | 'batch_result'
  | 'managed_session'
  | 'session_event'
  | 'request';

/** A thing by kind and id, with the ids of what it is in. */
export type Thing = { kind: ThingKind; ids: readonly string[] };

/** The document that brought a thing, and its session. */
export type Origin = { eventId: string; session: string };

/**
 * What drafting asks of earlier exchanges of the same identity and connection. Both look past the document that asks,
 * so that an exchange that is shipped again reads like the first time.
 */
export type Recall = {
  seen(hash: string, askedBy: string): boolean;
  origin(thing: Thing, askedBy: string): Origin | null;
};

/** What a document brings, by which later exchanges are read. */
export type Brought = { turnHashes: readonly string[]; things: readonly Thing[] };
