/** What whoever makes input documents needs of them beside their types, without the schemas and what those load. */
import { findingTypes } from '../masking/finding.ts';

/** Beyond this size of its JSON a document is not judged but refused. */
export const inputMaxBytes = 64 * 1024;

/** What a request without a body says. */
export const noBodyFacts = { claude: null, batch: null, agent: null, events: null, upload: null } as const;

/** The longest excerpt of a request, in UTF-16 units; of a longer text it has both ends. */
export const excerptMaxChars = 4_000;

/** What is said where no excerpt was made: nobody must take it for a request without text. */
export const noExcerpt = { text: '', complete: false } as const;

/** Names of tags, as a caller may write them. */
export const tagNamePattern = /^[a-z][a-z0-9_-]{0,31}$/;

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Types of findings that policy may speak of. `DEEP` is a limit of the masker and no kind of value. */
export const policyTypes = findingTypes.filter((type) => type !== 'DEEP');
