/** For which exchanges an entry of a list counts: all of its conditions must be met, without any it counts for all. */
import { z } from 'zod';

const texts = z.array(z.string().min(1)).min(1);

/** `project=apollo`; what it says is the caller's word. */
const tags = z.array(z.string().regex(/^[a-z][a-z0-9_-]{0,31}=./, 'must be a name, = and a value')).min(1);

/** Known from the headers. */
export const headersWhen = z.strictObject({ connections: texts, groups: texts, endpoints: texts, tags }).partial();

/** Known when the body was read. */
export const bodyWhen = headersWhen.extend({ skills: texts.optional() });
