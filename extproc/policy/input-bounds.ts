/** What whoever makes input documents needs of them beside their types, without the schemas and what those load. */

/** Beyond this size of its JSON a document is not judged but refused. */
export const inputMaxBytes = 64 * 1024;

/** What a request without a body says. */
export const noBodyFacts = { claude: null, batch: null, agent: null, events: null, upload: null } as const;
