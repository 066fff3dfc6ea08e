/** What whoever makes input documents needs of them beside their types, without the schemas and what those load. */
import { findingTypes } from '../masking/finding.ts';

/** Beyond this size of its JSON a document is not judged but refused. */
export const inputMaxBytes = 64 * 1024;

/** What a request without a body says. */
export const noBodyFacts = { claude: null, batch: null, agent: null, events: null, upload: null } as const;

/** Names of tags, as a caller may write them. */
export const tagNamePattern = /^[a-z][a-z0-9_-]{0,31}$/;

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Types of findings that policy may speak of. `DEEP` is a limit of the masker and no kind of value. */
export const policyTypes = findingTypes.filter((type) => type !== 'DEEP');
